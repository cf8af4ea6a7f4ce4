"""What answers for Stripe behind the upstream: the double, another server, or Stripe's test mode."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from payproof.domain.sensitive import LIVE_KEYS, Secret
from payproof.domain.target import LOOPBACK
from payproof.domain.urls import url_of, with_query
from payproof.errors import BackendGoneError, ConfigurationError
from payproof.stripe.api import ApiAnswer, ApiRequest, Failing
from payproof.stripe.double import Double
from payproof.stripe.double.hooks import Hooks
from payproof.stripe.events import Event

__all__ = ["STRIPE", "DoubleBackend", "HttpBackend", "StripeTestMode"]

#: Where Stripe is.
STRIPE = "https://api.stripe.com"

Result = TypeVar("Result")
_LARGEST = 8 * 1024 * 1024
_SECONDS = 80.0  # what Stripe's own SDKs wait
_HOP_BY_HOP = frozenset(
    {
        *("accept-encoding", "connection", "content-encoding", "content-length", "expect", "host", "keep-alive"),
        *("proxy-authorization", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"),
    }
)


class DoubleBackend:
    """The built-in double, for several threads: one change at a time."""

    name = "the built-in double"
    works_within = True

    def __init__(self, double: Double) -> None:
        self._double = double
        self._lock = threading.Lock()

    async def answer(self, request: ApiRequest, failing: Failing) -> ApiAnswer:
        """Answer one call; while it works, the call's key is in use."""
        with self._lock:
            started = self._double.begin(request)
        if isinstance(started, ApiAnswer):
            return started
        if failing.seconds:
            await asyncio.sleep(failing.seconds)
        with self._lock:
            return self._double.finish(started, failing.answer)

    def act(self, act: Callable[[Hooks], Result]) -> Result:
        """Let something happen at Stripe that is no call of the target's: ``act(lambda at: at.dispute("ch_1"))``."""
        with self._lock:
            return act(self._double.hooks)

    def take_in(self, event: Event) -> None:
        """Know from now on what a delivered event tells."""
        with self._lock:
            self._double.take_in(event)

    def take_events(self) -> tuple[Event, ...]:
        """Return the webhook events that were not yet taken, oldest first."""
        with self._lock:
            return self._double.take_events()

    async def close(self) -> None:
        """Do nothing: it is all memory."""


class HttpBackend:
    """Another server that answers for Stripe, such as stripe-mock, at a loopback address or by HTTPS.

    Raises:
        ConfigurationError: no such address, or one of Stripe's own.
    """

    works_within = False

    def __init__(self, url: str, *, name: str = "", ca_file: str | None = None) -> None:
        parts = urlsplit(url)
        plain = parts.scheme == "http" and parts.hostname in LOOPBACK
        if not parts.hostname or parts.path.strip("/") or not (parts.scheme == "https" or plain):
            raise ConfigurationError(f"backend {url!r}", hint="https://host, or http:// on a loopback host, no path")
        self.name = name or url
        self.url = url.rstrip("/")
        self._ca_file = ca_file
        self._client: aiohttp.ClientSession | None = None
        self._refuse(parts.hostname)

    def _refuse(self, host: str) -> None:
        if host == "stripe.com" or host.endswith(".stripe.com"):
            raise ConfigurationError("a backend at Stripe needs a test key", hint="take Stripe's test mode")

    async def answer(self, request: ApiRequest, failing: Failing) -> ApiAnswer:
        """Pass a call on; raises BackendGoneError where no answer comes."""
        assert failing == Failing(), "the upstream refuses plans with faults within such a backend"
        client = self._client = self._client or self._open_session()
        url = URL(url_of(self.url, with_query(request.path, request.query)), encoded=True)
        try:
            async with client.request(
                request.method,
                url,
                data=request.body or None,
                headers=self._headers(request.headers),
                allow_redirects=False,
            ) as response:
                body = await response.content.read(_LARGEST + 1)
                while len(body) <= _LARGEST and (more := await response.content.read(_LARGEST + 1 - len(body))):
                    body += more
                if len(body) > _LARGEST:
                    raise BackendGoneError(f"{self.name}: an answer of more than {_LARGEST:,} bytes")
                headers = tuple((n, v) for n, v in response.headers.items() if n.lower() not in _HOP_BY_HOP)
                return ApiAnswer(response.status, headers, body)
        except (aiohttp.ClientError, OSError) as error:
            raise BackendGoneError(f"{self.name} gives no answer: {type(error).__name__}") from None

    def _open_session(self) -> aiohttp.ClientSession:
        tls = ssl.create_default_context(cafile=self._ca_file)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=tls),
            timeout=aiohttp.ClientTimeout(total=_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("Accept", "Content-Type", "User-Agent"),
        )

    def _headers(self, given: Mapping[str, str]) -> dict[str, str]:
        return {name: value for name, value in given.items() if name not in _HOP_BY_HOP} | {
            "accept-encoding": "identity"
        }

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None


class StripeTestMode(HttpBackend):
    """Stripe itself, in test mode, under the given key whatever key the target uses.

    Raises:
        ConfigurationError: a live key, or no secret key at all.
    """

    def __init__(self, key: Secret, *, url: str = STRIPE, ca_file: str | None = None) -> None:
        text = key.reveal()
        if text.startswith(LIVE_KEYS):
            raise ConfigurationError(f"{key.label}: a live key is never used", hint="give a key of the test mode")
        if not text.startswith(("sk_test_", "rk_test_")) or not text.isascii() or not text.isprintable():
            raise ConfigurationError(
                f"{key.label}: no secret key of Stripe's test mode", hint="it begins with sk_test_"
            )
        super().__init__(url, name="Stripe's test mode", ca_file=ca_file)
        self._key = key

    def _refuse(self, host: str) -> None:
        """Refuse no host: the key is a test key."""

    def _headers(self, given: Mapping[str, str]) -> dict[str, str]:
        return super()._headers(given) | {"authorization": f"Bearer {self._key.reveal()}"}
