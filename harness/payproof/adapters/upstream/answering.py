"""Answers one call: records it, lets its fault strike, asks the backend, and notes what became of it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from payproof.adapters.upstream.call_log import CallLog
from payproof.adapters.upstream.replies import reset, send
from payproof.domain.stripe_call import KeyKind, StripeCall
from payproof.errors import BackendGoneError, Reason, record_fault
from payproof.stripe.api import ApiAnswer, ApiRequest, Backend, Failing, error_body
from payproof.stripe.upstream.fault_names import STALLED
from payproof.stripe.upstream.faults import Altered, Fault, Moment, Redirect, Reply, Reset, Written
from payproof.stripe.upstream.recording import record_call

__all__ = ["Answering"]


def _write_error(status: int, message: str) -> Written:
    return Written(status, {"message": message, "type": "invalid_request_error"})


_LIVE_KEY = _write_error(401, "Payproof passes no live key on.")
_FOLLOWED = _write_error(404, "A redirect was followed to another host.")
_TOO_LARGE = _write_error(413, "The request is too large.")
# No SDK packs what it asks, and what came packed was not looked through for what must not be told.
_PACKED = _write_error(415, "The request is compressed.")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What is to be sent, and what the backend had to say, if it was asked."""

    reply: Reply | None
    answer: ApiAnswer | None = None

    @property
    def spoiled(self) -> bool:
        """Whether the backend's answer does not get through as it was."""
        return self.reply is not None and not (isinstance(self.reply, Altered) and self.reply.how.is_whole)


class Answering:
    """Answers the calls of every listener; ``elsewhere`` are the bases that redirects lead to, by scheme."""

    def __init__(self, backend: Backend, log: CallLog, elsewhere: Mapping[str, str]) -> None:
        self._backend, self._log, self._elsewhere = backend, log, elsewhere
        #: The connections that carry a call now.
        self.busy: set[object] = set()
        self._under_way: dict[int, web.BaseRequest] = {}
        self._traps = {int(url.rpartition(":")[2]) for url in elsewhere.values()}

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one call."""
        connection = request.protocol
        self.busy.add(connection)
        try:
            return await self._handle(request)
        except ConnectionError:
            raise
        except Exception as error:
            # aiohttp would answer 500 and say nothing to whoever judges.
            self._log.went_wrong(record_fault(error), Reason.HARNESS_FAULT)
            raise
        finally:
            self.busy.discard(connection)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        log = self._log
        started = log.at()
        body, refusal = await self._body(request)
        path, _, query = request.raw_path.partition("?")
        headers = {name.lower(): value for name, value in request.headers.items()}
        call = ApiRequest(request.method, path, query, headers, body)
        secure, connection = _connection(request)
        elsewhere = self._is_trap(request)
        kept = log.add_call(
            lambda number: record_call(
                call,
                tuple(request.headers.items()),
                log.ledger,
                number=number,
                at=started,
                secure=secure,
                connection=connection,
                elsewhere=elsewhere,
            )
        )
        if kept is None:
            return await send(request, Reset(), None, "")
        if refusal is not None:
            why = "compressed" if refusal is _PACKED else "too large, or too slow to arrive"
            log.update_call(kept.number, unreadable=why)
        self._under_way[kept.number] = request
        outcome = await self._outcome(call, kept, refusal)
        lead = self._lead(outcome.reply, secure=secure)
        answer = outcome.answer
        log.update_call(kept.number, spoiled=outcome.spoiled)
        try:
            response = await send(request, outcome.reply, answer, lead)
        except ConnectionError:
            # The target did not wait; that it got nothing is what the record says without a status.
            log.update_call(kept.number, seconds=log.at() - started)
            raise
        finally:
            del self._under_way[kept.number]
        status = None if isinstance(outcome.reply, Reset) else _status(outcome, response)
        log.update_call(kept.number, status=status, seconds=log.at() - started)
        return response

    def end_stalled(self) -> None:
        """End the connections of calls that a fault holds up: a target that waits for them for long goes on."""
        for call in self._log.calls(0):
            if call.number in self._under_way and call.fault in STALLED:
                reset(self._under_way[call.number].transport)

    async def _body(self, request: web.BaseRequest) -> tuple[bytes, Written | None]:
        """Return the body, or what refuses it: too large, too slow to be taken whole, or compressed."""
        if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
            return b"", _PACKED
        if request.headers.get("Expect", "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0
        body = bytearray()
        limits = self._log.limits
        try:
            async with asyncio.timeout(limits.arrival_seconds):
                while chunk := await request.content.readany():
                    body += chunk
                    if len(body) > limits.body_bytes:
                        return b"", _TOO_LARGE
        except TimeoutError:
            return b"", _TOO_LARGE
        return bytes(body), None

    def _is_trap(self, request: web.BaseRequest) -> bool:
        transport = request.transport
        name = None if transport is None else transport.get_extra_info("sockname")
        return name is not None and name[1] in self._traps

    def _lead(self, reply: Reply | None, *, secure: bool) -> str:
        if not isinstance(reply, Redirect):
            return ""
        return self._elsewhere["https" if secure and not reply.downgrade else "http"]

    async def _outcome(self, call: ApiRequest, kept: StripeCall, refusal: Written | None) -> _Outcome:
        if kept.elsewhere:
            return _Outcome(_FOLLOWED)
        if kept.key is KeyKind.LIVE:
            return _Outcome(_LIVE_KEY)
        if refusal is not None:
            return _Outcome(refusal)
        fault = self._log.next_call(call.method, call.path)
        if fault is not None:
            # At once: whoever judges may look long before a stalled call has ended.
            self._log.update_call(kept.number, fault=fault.name)
        try:
            return await self._strike(call, kept, fault)
        except BackendGoneError as error:
            self._log.went_wrong(str(error))
        except Exception as error:  # noqa: BLE001 (our own fault; its text could hold anything)
            self._log.went_wrong(record_fault(error), Reason.HARNESS_FAULT)
        return _Outcome(Reset())

    async def _strike(self, call: ApiRequest, kept: StripeCall, fault: Fault | None) -> _Outcome:
        if fault is None:
            return _Outcome(None, await self._ask_backend(call, kept, Failing()))
        if fault.moment is Moment.BEFORE:
            await asyncio.sleep(fault.seconds)
            if fault.reply is not None:
                return _Outcome(fault.reply)
        if fault.moment is Moment.DURING:
            instead = None if fault.reply is None else _answer(fault.reply)
            return _Outcome(None, await self._ask_backend(call, kept, Failing(fault.seconds, instead)))
        answer = await self._ask_backend(call, kept, Failing())
        if fault.moment is Moment.AFTER:
            await asyncio.sleep(fault.seconds)
        return _Outcome(fault.reply, answer)

    async def _ask_backend(self, call: ApiRequest, kept: StripeCall, failing: Failing) -> ApiAnswer:
        """Return the backend's answer, and note what it was, though the target may never get it."""
        answer = await self._backend.answer(call, failing)
        replayed = any(name.lower() == "idempotent-replayed" for name, _ in answer.headers)
        self._log.update_call(
            kept.number,
            backend_status=answer.status,
            replayed=replayed,
            unknown=answer.unknown,
            ignored=answer.ignored,
        )
        return answer


def _answer(reply: Reply) -> ApiAnswer:
    assert isinstance(reply, Written)
    body = reply.content if reply.error is None else error_body(reply.error)
    return ApiAnswer(reply.status, (("Content-Type", reply.content_type), *reply.headers), body)


def _status(outcome: _Outcome, response: web.StreamResponse) -> int:
    """Return the status that went out, which an answer written by hand does not carry."""
    return outcome.answer.status if outcome.answer is not None and outcome.reply is None else response.status


def _connection(request: web.BaseRequest) -> tuple[bool, str]:
    """Return whether a call came by TLS, and the fault of its connection, which its context carries as a name."""
    transport = request.transport
    tls = None if transport is None else transport.get_extra_info("ssl_object")
    return (False, "") if tls is None else (True, getattr(tls.context, "fault", ""))
