"""The harness's HTTP client: sends to the target's hosts only, reads within bounds, and conceals before it returns."""

import asyncio
import hashlib
import ssl
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Self
from urllib.parse import unquote, urlsplit

import aiohttp
import h11
from aiohttp.http_exceptions import HttpProcessingError
from multidict import CIMultiDict
from yarl import URL

from payproof.adapters.connections import END_OF_TLS_SECONDS, Connections
from payproof.adapters.raw_http import RawAnswer, exchange_raw, exchange_together, exchange_wire
from payproof.adapters.unpacking import unpack_body
from payproof.canary import Ledger
from payproof.domain.observation import REDIRECTS, Answer, Exchange, NoAnswer, Sent
from payproof.domain.request import Request
from payproof.domain.route_names import RouteNames
from payproof.domain.sensitive import Exposure
from payproof.domain.target import Target
from payproof.domain.urls import resolve_redirect, url_of
from payproof.errors import ConfigurationError, ForbiddenHostError, InconclusiveError, Reason

__all__ = ["HttpSender", "tls_context"]

_LARGE_BYTES = 1024 * 1024  # of a request, which a target may answer before it has read all
_QUICK_BYTES = 64 * 1024  # of an answer, which are searched sooner than a thread is asked
_LONGEST_EXAMPLE = 2000  # characters; who wants more repeats the run
_BY_CA_FILE = "; a certificate authority of your own is named by ca_file (--ca-file)"

#: What the network, TLS and the parsers of HTTP raise.
_OF_THE_TARGET = (OSError, TimeoutError, EOFError, aiohttp.ClientError, HttpProcessingError, h11.ProtocolError)


def tls_context(target: Target) -> ssl.SSLContext:
    """Return a context that verifies the target's certificate and host name.

    Raises:
        ConfigurationError: the target file's ``ca_file`` holds no certificates.
    """
    try:
        return ssl.create_default_context(cafile=target.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(f"ca_file {target.ca_file}: no PEM certificates can be read: {error}") from None


class HttpSender:
    """Sends requests to one target; open and close it within one event loop."""

    def __init__(self, target: Target, ledger: Ledger) -> None:
        self._target, self._ledger = target, ledger
        self._allowed, self._routes = target.allowed, RouteNames.of(target)
        self._tls = tls_context(target)
        self._connections = Connections(self._tls)
        self._abandoned = False

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()
        if self._abandoned:
            # A connection that was given up on is none of the connector's any more, and ends by itself.
            await asyncio.sleep(2 * END_OF_TLS_SECONDS)

    async def send(self, request: Request, step: int) -> Exchange:
        """Send one request; what goes wrong on the way becomes the exchange's ``NoAnswer``.

        Raises:
            ForbiddenHostError: the request is for a host that the target file does not list; nothing was sent.
        """
        url, sent = self._prepare(request)
        within = request.within or self._target.contract.answer_within
        started = time.perf_counter()
        again: list[str] = []
        outcome: RawAnswer | Exception
        try:
            async with asyncio.timeout(within):
                outcome = await self._raw(request, URL(url, encoded=True), again)
        except (InconclusiveError, *_OF_THE_TARGET) as error:  # anything else is a fault of ours, and is told as one
            outcome = error
        seconds = time.perf_counter() - started
        answer = await self._observe(url, outcome, seconds, within)
        return Exchange(step, replace(sent, note=", ".join([sent.note, *again])), answer)

    async def send_together(
        self, requests: Sequence[Request], step: int, other: Self | None = None
    ) -> Sequence[Exchange]:
        """Send requests as nearly at one time as can be, each on a connection of its own; every second by ``other``.

        Raises:
            ForbiddenHostError: one is for a host that the target file does not list; nothing was sent.
        """
        senders = (self, other or self)
        prepared = [
            senders[place % 2]._prepare(request)  # noqa: SLF001 (of the same class)
            for place, request in enumerate(requests)
        ]
        within = self._target.contract.answer_within
        limit = self._target.budget.answer_bytes
        asked = [(request, url) for request, (url, _) in zip(requests, prepared, strict=True)]
        releases = await exchange_together(asked, self._tls, limit, within)
        return [
            Exchange(
                step,
                replace(sent, released=release.after),
                await self._observe(url, release.outcome, release.seconds, within),
            )
            for (url, sent), release in zip(prepared, releases, strict=True)
        ]

    def _prepare(self, request: Request) -> tuple[str, Sent]:
        """Return the URL of a request, and what is told of it.

        Raises:
            ForbiddenHostError: it is for a host that the target file does not list.
        """
        url = url_of(self._target.url, request.target)
        if (host := _name_host(url)) not in self._allowed:
            raise ForbiddenHostError(host)
        return url, Sent(
            request.method,
            self._ledger.conceal_text(url),
            self._ledger.conceal_text(request.note),
            len(request.wire or request.body),
            hashlib.sha256(request.wire or request.body).hexdigest(),
            request.variant,
            request.calls,
            _shorten_example(self._ledger.conceal_text(request.example)),
            request.role,
            request.event,
            self._routes.name_route(request.method, request.target),
            asking=request.asking,
        )

    async def _observe(
        self, url: str, outcome: RawAnswer | Exception, seconds: float, within: float
    ) -> Answer | NoAnswer:
        """Return what is told of an answer, or of what came instead of one."""
        if isinstance(outcome, Exception):
            self._abandoned = True
            if isinstance(outcome, InconclusiveError):
                return NoAnswer(outcome.reason, outcome.detail, seconds)
            return NoAnswer(*_describe_failure(outcome, _name_host(url), within), seconds)
        status, headers, body = outcome
        observed = partial(
            self._observe_answer, url, status, headers, body, seconds, until=time.monotonic() + within - seconds
        )
        is_quick = len(body) <= _QUICK_BYTES and all(name.lower() != b"content-encoding" for name, _ in headers)
        # The loop has other connections to look after.
        return observed() if is_quick else await asyncio.to_thread(observed)

    async def _raw(self, request: Request, url: URL, again: list[str]) -> RawAnswer:
        """Send a request, once more where it met a stale connection, which is then told in ``again``."""
        limit = self._target.budget.answer_bytes
        if request.wire:
            return await exchange_wire(request, str(url), self._tls, limit)
        if (
            request.origin
            or len(request.body) > _LARGE_BYTES
            or not all(value.isascii() for _, value in request.headers)
        ):
            return await exchange_raw(request, str(url), self._tls, limit)
        client = await self._connections.choose(once=request.once)
        with self._connections.attempt() as attempt:
            try:
                return await self._exchange_once(client, request, url)
            except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
                if not attempt.met_a_stale_connection:
                    raise
        again.append("sent again, as the target had ended the connection that it had kept")
        client = await self._connections.choose(once=True)
        with self._connections.attempt():
            return await self._exchange_once(client, request, url)

    async def _exchange_once(self, client: aiohttp.ClientSession, request: Request, url: URL) -> RawAnswer:
        limit = self._target.budget.answer_bytes
        headers = CIMultiDict((name.decode("ascii"), value.decode("ascii")) for name, value in request.headers)
        async with client.request(
            request.method, url, headers=headers, data=request.body, allow_redirects=False
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) > limit:
                    raise InconclusiveError(Reason.RESPONSE_TOO_LARGE, f"the answer is larger than {limit:,} bytes")
            return response.status, list(response.raw_headers), bytes(body)

    def _observe_answer(
        self,
        url: str,
        status: int,
        headers: Iterable[tuple[bytes, bytes]],
        body: bytes,
        seconds: float,
        *,
        until: float,
    ) -> Answer | NoAnswer:
        plain: list[tuple[str, str]] = []
        exposures: list[Exposure] = []
        given = list(headers)
        names = self._ledger.conceal_all((name, "a header's name") for name, _ in given)
        labels = [bare.decode("latin-1").lower() for bare, _ in names]
        values = self._ledger.conceal_all(
            (value, f"header {label}") for (_, value), label in zip(given, labels, strict=True)
        )
        for label, (_, value), (_, in_name), (concealed, found) in zip(labels, given, names, values, strict=True):
            plain.append((label, concealed.decode("latin-1")))
            exposures += in_name
            exposures += () if label == "location" and _leads_back(url, value.decode("latin-1")) else found
        if status in REDIRECTS:
            location = next((value for label, value in plain if label == "location"), "")
            if (elsewhere := _elsewhere(url, location)) is not None:
                detail = f"status {status} to {elsewhere}, which was not followed"
                return NoAnswer(Reason.REDIRECT_ELSEWHERE, detail, seconds)
        encoding = ", ".join(value for label, value in plain if label == "content-encoding")
        try:
            decoded = unpack_body(body, encoding, limit=self._target.budget.answer_bytes, until=until)
        except InconclusiveError as error:
            return NoAnswer(error.reason, error.detail, seconds)
        concealed, found = self._ledger.conceal(decoded, "body")
        text = concealed.decode("utf-8", "replace")
        most = self._target.budget.evidence_characters
        return Answer(
            status, tuple(plain), text[:most], len(decoded), seconds, (*exposures, *found), cut=len(text) > most
        )


def _name_host(url: str) -> str:
    """Return host and port of the whole URL: a request target such as "@elsewhere/" changes what the base names."""
    address = URL(url, encoded=True)
    return f"{address.host}:{address.port}"


def _shorten_example(example: str) -> str:
    more = len(example) - _LONGEST_EXAMPLE
    return example if more <= 0 else f"{example[:_LONGEST_EXAMPLE]}… ({more:,} characters more)"


def _leads_back(url: str, location: str) -> bool:
    """Whether a redirect leads to where the request went, but for a slash: it says what the client's URL has said."""
    there = resolve_redirect(url, location)
    return there is not None and _without_slash(there) == _without_slash(url)


def _without_slash(url: str) -> tuple[str, str, str]:
    parts = urlsplit(url)
    return parts.netloc, unquote(parts.path).rstrip("/"), parts.query


def _elsewhere(url: str, location: str) -> str | None:
    """Return the place that a redirect names when it is on another host than the URL, or is none at all."""
    there = resolve_redirect(url, location)
    if there is None:
        return "what is no URL"
    parts = urlsplit(there)
    return None if parts.netloc == urlsplit(url).netloc else f"{parts.scheme}://{parts.netloc}"


def _describe_failure(error: Exception, host: str, seconds: float) -> tuple[Reason, str]:
    """Return the reason and one line for what went wrong on the network."""
    if isinstance(error, TimeoutError):
        return Reason.TIMEOUT, f"{host} gave no complete answer within {seconds:g} s"
    certificate = next((e for e in (error, error.__cause__) if isinstance(e, ssl.SSLCertVerificationError)), None)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        inner = error.certificate_error
        certificate = inner if isinstance(inner, ssl.SSLCertVerificationError) else None
    if certificate is not None:
        return Reason.TLS_FAILED, f"the certificate of {host} is not valid: {certificate.verify_message}{_BY_CA_FILE}"
    if isinstance(error, (aiohttp.ClientSSLError, ssl.SSLError)):
        return Reason.TLS_FAILED, f"no TLS connection with {host}: {getattr(error, 'reason', None) or error}"
    if isinstance(error, OSError):
        return Reason.UNREACHABLE, f"{host}: {error.strerror or type(error).__name__}"
    if isinstance(error, aiohttp.ClientConnectionError):
        return Reason.UNREACHABLE, f"{host} closed the connection without an answer"
    return Reason.RESPONSE_UNREADABLE, f"{host} did not answer in HTTP: {type(error).__name__}"
