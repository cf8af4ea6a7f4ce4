import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from payproof.domain.context import Context
from payproof.domain.observation import NoAnswer, Observation
from payproof.domain.operation import Operation
from payproof.domain.operation_requests import make_request
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.urls import quote_path
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.stripe.deliveries import STRIPE_HEADERS

__all__ = ["SendFramed"]

_MEASURED = frozenset({"large", "gzip_bomb"})
_LARGE, _BOMB = 50 * 1024 * 1024, 100 * 1024 * 1024
_PATIENCE = 3.0  # seconds for an answer to what never comes to its end


@step
@dataclass(frozen=True, slots=True)
class SendFramed(Step):
    """Send a body in a way that no client does: in ``chunks``, with a length that is too ``short`` or too ``long``.

    Or with 50 MB of it (``large``), or a ``gzip_bomb`` of 100 MB in 100 kB, with the memory of the target's processes
    measured. It goes to the first ``operation`` that has a body, as who may ask for it, or to the ``webhook`` without a
    signature. Silence is an answer to a length that is too long: the target waits for the rest.
    """

    name: ClassVar[str] = "send_framed"
    to: Literal["operation", "webhook"] = "webhook"
    framing: Literal["chunks", "short", "long", "large", "gzip_bomb"] = "chunks"

    def unfit(self, target: Target) -> Gap | None:
        """Return that memory cannot be measured, or that no operation takes a body."""
        if self.framing in _MEASURED and not target.is_local:
            return Gap("the target's processes are on another machine")
        if self.to == "operation" and target.operations and _taking(target) is None:
            return Gap("no operation of the target file has a body")
        return None

    async def run(self, context: Context) -> Sequence[Observation]:
        """Send it."""
        if self.to == "operation":
            context.stripe.arm()
        request = self._make(context)
        if self.framing in _MEASURED:
            context.memory.begin()
            exchange = await context.send(request)
            grown = context.memory.end(_LARGE if self.framing == "large" else _BOMB)
            return [grown] if exchange.was_cut_off else [exchange, grown]
        exchange = await context.send(request)
        return [] if self.framing == "long" and isinstance(exchange.answer, NoAnswer) else [exchange]

    def _make(self, context: Context) -> Request:
        operation = _taking(context.target) if self.to == "operation" else None
        if operation is None:
            body = context.events.make_control().encode()
            sound = Request("POST", context.target.webhook.path, STRIPE_HEADERS, body, "")
        else:
            sound = make_request(context.target, operation, context.kept)
        method, target, headers, body = sound.method, sound.target, sound.headers, sound.body
        told = f"{self.framing}, to {'the webhook, unsigned' if operation is None else operation.name}"
        if self.framing == "large":
            body = json.dumps({"note": "a" * _LARGE}).encode()
            return Request(method, target, headers, body, told, variant=told)
        if self.framing == "gzip_bomb":
            body = gzip.compress(b'{"note": "' + b"a" * _BOMB + b'"}', mtime=0)
            packed = (*headers, (b"Content-Encoding", b"gzip"))
            return Request(method, target, packed, body, told, variant=told)
        wire = self._write(context.target.url, method, target, headers, body)
        return Request(method, target, headers, body, told, variant=told, wire=wire, within=_PATIENCE)

    def _write(
        self, base: str, method: str, target: str, headers: tuple[tuple[bytes, bytes], ...], body: bytes
    ) -> bytes:
        parts = urlsplit(base)
        place = parts.path.rstrip("/") + quote_path(target)
        # What is left of a body that is longer than it says must be met by a server that reads on.
        ending = [] if self.framing == "short" else [b"Connection: close"]
        lines = [f"{method} {place} HTTP/1.1".encode(), b"Host: " + parts.netloc.encode(), *ending]
        lines += [name + b": " + value for name, value in headers]
        if self.framing == "chunks":
            half = len(body) // 2
            pieces = (body[:half], body[half:])
            sent = b"".join(b"%x\r\n%s\r\n" % (len(one), one) for one in pieces if one) + b"0\r\n\r\n"
            return b"\r\n".join([*lines, b"Transfer-Encoding: chunked", b"", sent])
        length = len(body) // 2 if self.framing == "short" else 10 * len(body)
        rest = b"\r\n\r\n" if self.framing == "short" else b""  # the end of what is then taken for a request
        return b"\r\n".join([*lines, b"Content-Length: %d" % length, b"", body + rest])


def _taking(target: Target) -> Operation | None:
    """Return the first operation that takes a body."""
    return next((one for one in target.operations.values() if one.body), None) or next(
        (one for one in target.operations.values() if one.body is not None), None
    )
