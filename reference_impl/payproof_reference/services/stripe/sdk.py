"""The official SDK, put on a transport of ours; importing this costs 0.3 s, so the service does it at the first call.

The SDK's own HTTPXClient is not used: it cannot be given a CA file, a TLS version or a bound on the answer, takes
proxies from the environment, opens an asynchronous client beside the synchronous one, and its errors carry the body
in their arguments. `stripe.HTTPClient` is the SDK's documented place for another one.

Synchronous, because all else that an operation touches is: the database, and the worker, which is a thread. One
httpx.Client serves all threads, while an asynchronous one belongs to one event loop.
"""

import json
import logging
import re
import ssl
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import stripe

from payproof_reference.services.stripe.errors import (
    REQUEST_ID_SHAPE,
    AttemptFailedError,
    Failure,
    FailureKind,
    keep_word,
)
from payproof_reference.services.stripe.retry import Policies

__all__ = ["Transport", "build_client", "build_context", "build_http_client"]

CONNECT_SECONDS = 2.0
# A page of 100 invoices has about one MiB.
LARGEST_ANSWER = 8 * 1024 * 1024
SECONDS_SHAPE = re.compile(r"[0-9]{1,6}")


class Transport(stripe.HTTPClient):
    """Sends the SDK's requests through httpx, and reduces whatever is not a success before the SDK sees it."""

    name = "httpx"

    def __init__(self, client: httpx.Client, policies: Policies | None = None) -> None:
        super().__init__()
        self._client = client
        self._policies = policies or Policies()

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[str, int, Mapping[str, str]]:
        """Send one request and read its answer, within the time and size that an attempt may have.

        Raises:
            AttemptFailedError: there is no answer, or it is not a JSON object with a status of success. Without
                `__context__`, since it is raised outside of every handler.
        """
        seconds = (self._policies.reads if method == "get" else self._policies.writes).attempt_seconds
        timeout = httpx.Timeout(seconds, connect=CONNECT_SECONDS)
        deadline = time.monotonic() + seconds
        failure = None
        body = b""
        try:
            with self._client.stream(method, url, headers=headers, content=post_data, timeout=timeout) as response:
                body = read_answer(response, deadline)
        except AttemptFailedError as error:
            failure = error.failure
        except httpx.RequestError as error:
            failure = Failure(classify_error(error), reason=type(error).__name__)
        failure = failure or reduce_answer(response.status_code, response.headers, body)
        if failure:
            raise AttemptFailedError(failure)
        # Nothing else of the head: the SDK would print a Stripe-Notice to standard error.
        request_id = keep_word(response.headers.get("request-id"), REQUEST_ID_SHAPE)
        return body.decode(), response.status_code, httpx.Headers({"request-id": request_id} if request_id else {})

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def read_answer(response: httpx.Response, deadline: float) -> bytes:
    """Read a body, at most LARGEST_ANSWER bytes of it and not beyond the deadline (of the monotonic clock).

    Raises:
        AttemptFailedError: there is more, or it comes too slowly.
    """
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > LARGEST_ANSWER:
            raise AttemptFailedError(
                Failure(FailureKind.UNREADABLE_ANSWER, reason="too_large", status=response.status_code)
            )
        if time.monotonic() > deadline:
            raise AttemptFailedError(Failure(FailureKind.NO_ANSWER, reason="too_slow"))
    return bytes(body)


def classify_error(error: Exception) -> FailureKind:
    """Tell a peer whose certificate was refused, to whom nothing was sent, from all other connections that failed."""
    chain: list[BaseException] = [error]
    # A chain can lead back to its start.
    while (link := chain[-1].__cause__ or chain[-1].__context__) and link not in chain:
        chain.append(link)
    refused = any(isinstance(link, ssl.SSLCertVerificationError) for link in chain)
    return FailureKind.UNVERIFIED_PEER if refused else FailureKind.NO_ANSWER


def reduce_answer(status: int, headers: Mapping[str, str], body: bytes) -> Failure | None:
    """Reduce an answer to its failure, or return None for a JSON object with a status of success."""
    try:
        document = json.loads(body.decode())
    except (ValueError, RecursionError):
        document = None
    if httpx.codes.is_success(status) and isinstance(document, dict):
        return None
    error = document.get("error") if isinstance(document, dict) else None
    said = error if isinstance(error, dict) else {}
    # A date, the other form of the header, is not what Stripe sends; the backoff alone has to do for it.
    retry_after = headers.get("retry-after", "")
    return Failure(
        FailureKind.ERROR_ANSWER if said else FailureKind.UNREADABLE_ANSWER,
        status=status,
        error_type=keep_word(said.get("type")),
        code=keep_word(said.get("code")),
        decline_code=keep_word(said.get("decline_code")),
        request_id=keep_word(headers.get("request-id"), REQUEST_ID_SHAPE),
        retry_after=int(retry_after) if SECONDS_SHAPE.fullmatch(retry_after) else None,
        should_retry={"true": True, "false": False}.get(headers.get("stripe-should-retry", "")),
    )


def build_context(ca_file: Path | None) -> ssl.SSLContext:
    """Build a context of TLS 1.2 and later that verifies chain and host name (PCI DSS 4.2.1).

    On pinning: Stripe recommends against it, because a pinned certificate, and an intermediate one as well, is
    replaced without asking; the outage that follows is certain, the attack that it would stop is not. Who must pin is
    to pin all of the roots that Stripe lists, and only roots. That is what the default does: the bundle inside the
    SDK holds those roots and no others, and moves with the SDK's version. `ca_file` replaces it where the roots are
    to be somebody else's choice, such as a company's proxy that inspects TLS, or a test; who sets it has to follow
    Stripe's announcements, which come seven days ahead. Source: https://docs.stripe.com/tls-certificates.

    Raises:
        OSError: the file cannot be read or holds no certificate (ssl.SSLError is one).
    """
    context = ssl.create_default_context(cafile=ca_file or stripe.ca_bundle_path)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def build_http_client(ca_file: Path | None, *, connections: int) -> httpx.Client:
    """Build a client that follows no redirect, which would take the key along, and asks no proxy of the environment."""
    return httpx.Client(
        verify=build_context(ca_file),
        follow_redirects=False,
        trust_env=False,
        limits=httpx.Limits(max_connections=connections),
    )


def build_client(api_key: str, api_base: str, transport: Transport, *, telemetry: bool = False) -> stripe.StripeClient:
    """Build the SDK's client: without its retries, by default without telemetry, and without log lines of bodies."""
    stripe.enable_telemetry = telemetry
    # At INFO and DEBUG the SDK logs parameters and whole answers, and httpcore all headers of an answer.
    for name in ("stripe", "httpx", "httpcore"):
        logging.getLogger(name).setLevel(logging.WARNING)
    return stripe.StripeClient(api_key, base_addresses={"api": api_base}, max_network_retries=0, http_client=transport)
