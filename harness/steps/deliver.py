import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal
from urllib.parse import urlencode, urljoin, urlsplit

from harness.domain.contracts import Context, Request
from harness.domain.observation import Answer, Exchange
from harness.domain.sensitive import Secret
from harness.errors import ConfigurationError
from harness.registry import step
from harness.stripe.deliveries import STRIPE_HEADERS
from harness.stripe.forgeries import forge, forgery_named
from harness.stripe.forgery import Delivery, Material
from harness.stripe.signature import hexdigest

__all__ = ["Deliver", "digests_of"]

_DIGEST = re.compile(rb"=([0-9A-Za-z+/]{32,})")
_TIMESTAMP = re.compile(rb"(?:^|,)t=(\d{1,12})(?=,|$)")
_MOST_DIGESTS = 8
_TEMPORARY_REDIRECTS = frozenset({307, 308})


def digests_of(headers: Iterable[tuple[bytes, bytes]]) -> Iterator[bytes]:
    """Yield the signature digests that headers hold, at most the last 8 of each: they must appear nowhere else."""
    for _, value in headers:
        yield from _DIGEST.findall(value)[-_MOST_DIGESTS:]


def _right_digests(signed: Delivery, secret: Secret) -> Iterator[bytes]:
    """Yield what would have verified the body: whoever is shown it has a genuine signature for a forged body."""
    for _, value in signed.headers:
        for timestamp in _TIMESTAMP.findall(value):
            yield hexdigest(signed.body, secret.reveal(), timestamp.decode()).encode()


@step
@dataclass(frozen=True, slots=True)
class Deliver:
    """Deliver one event to the webhook route, signed or forged, as Stripe would send it.

    ``signature`` names a way to sign or forge (``harness.stripe.forgery``), ``body`` the form of the JSON, ``set``
    values at dotted paths of the event's object. ``path`` varies the webhook's path, ``suffix`` is appended to it;
    with ``follow`` one redirect that keeps the method is followed on the same host.
    """

    name: ClassVar[str] = "deliver"
    event: str = "customer.subscription.updated"
    signature: str = "valid"
    body: Literal["pretty", "compact", "spaced", "unicode", "escaped", "large"] = "pretty"
    path: Literal["webhook", "upper_case", "double_slash", "dot_segments", "encoded_slash"] = "webhook"
    suffix: str = ""
    follow: bool = False
    set: Mapping[str, object] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a signature that there is not, as soon as a scenario file is read."""
        try:
            forgery_named(self.signature)
        except ConfigurationError as error:
            raise ValueError(str(error)) from None

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the event, sign or forge it, send it."""
        if forgery_named(self.signature).exact:
            await context.early_in_second()
        event = context.events(self.event, values=self.set, ids=self.ids)
        hook = context.target.webhook
        signed = forge(
            self.signature,
            Material(
                body=event.encoded(self.body),
                secret=hook.secret.reveal(),
                now=context.now(),
                random=context.random,
                previous_secret=_text(hook.previous_secret),
                retired_secret=_text(hook.retired_secret),
                api_key=_text(context.target.api_key),
                publishable_key=context.target.publishable_key,
            ),
        )
        for digest in digests_of(signed.headers):
            context.conceal("signature", "Stripe-Signature", digest)
        for digest in _right_digests(signed, hook.secret):
            context.conceal("signature", "the right signature of what was sent", digest)
        path = self._path(hook.path)
        query = "?" + urlencode(signed.query) if signed.query else ""
        request = Request(
            method="POST",
            target=path + query,
            headers=(
                *STRIPE_HEADERS,
                *signed.headers,
            ),
            body=signed.body,
            note=f"{self.event} ({event.id}), signature {self.signature}, body {self.body}, path {path}",
            ids=event.ids,
            variant=self.signature,
        )
        exchange = await context.send(request)
        if self.follow and (onward := _redirect(context, exchange, path)):
            return exchange, await context.send(_moved(request, onward))
        return (exchange,)

    def _path(self, path: str) -> str:
        match self.path:
            case "webhook":
                shaped = path
            case "upper_case":
                shaped = path.upper()
            case "double_slash":
                shaped = "/" + path
            case "dot_segments":
                shaped = f"/payproof/..{path}"
            case "encoded_slash":
                head, _, last = path.rpartition("/")
                shaped = f"{head}%2F{last}"
        return shaped + self.suffix


def _text(secret: Secret | None) -> str | None:
    return None if secret is None else secret.reveal()


def _redirect(context: Context, exchange: Exchange, path: str) -> str | None:
    """Return the request target that a method-keeping redirect on the same host names."""
    answer = exchange.answer
    if not isinstance(answer, Answer) or answer.status not in _TEMPORARY_REDIRECTS:
        return None
    here = urljoin(context.target.url, path)
    there = urlsplit(urljoin(here, answer.header("location") or ""))
    return there.path if there.netloc == urlsplit(here).netloc else None


def _moved(request: Request, target: str) -> Request:
    return replace(request, target=target, note=request.note + ", redirected")
