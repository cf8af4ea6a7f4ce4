"""Says why a target refuses every genuine event, before a run asks a thousand times: in one line, with what to mend.

The likeliest cause first: the path, a redirect, a login or proxy in front, the target's clock, the secret.
"""

from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime

from payproof.domain.answer_shape import shape_of
from payproof.domain.observation import ABSENT, REDIRECTS, Answer, Exchange
from payproof.domain.request import Request
from payproof.domain.urls import path_of, with_query
from payproof.stripe.deliveries import STRIPE_HEADERS
from payproof.stripe.routes import CUSTOMARY_PATHS

__all__ = ["OTHER_VERSIONS", "explain_refusal", "find_clock_difference"]

#: One API version of each of Stripe's releases that SDKs are pinned to: some refuse events of another.
OTHER_VERSIONS = (
    "2026-08-26.dahlia",
    "2025-09-30.clover",
    "2025-06-30.basil",
    "2024-12-18.acacia",
    "2024-06-20",
    "2023-10-16",
    "2022-11-15",
)
_TOLERANCE = 300  # seconds, Stripe's own
_LOGIN = ("login", "log-in", "signin", "sign-in", "auth", "sso")
_QUOTED = 120  # characters of an answer
_SUCCESS = range(200, 300)
_GUARDED = frozenset({401, 403, 407})
_CSRF = ("csrf", "xsrf", "cross-site request", "page expired", "authenticity token")


async def explain_refusal(send: Callable[[Request], Awaitable[Exchange]], path: str, refused: Answer, now: int) -> str:
    """Return the likely cause of a refusal of genuine events, and what would mend it.

    ``send`` sends a request to the target; ``path`` is the webhook's request target.
    """
    status = refused.status
    if status in REDIRECTS:
        return _explain_redirect(path, status, refused.header("location") or "")
    unsigned = await _ask(send, path)
    if status in ABSENT and unsigned is not None and unsigned.status in ABSENT | REDIRECTS:
        found = await _find_nearest(send, path)
        hint = f"POST {found[0]} answers {found[1]}: is it that path?" if found else "put the right path into [webhook]"
        return f"there is no webhook at {path} (status {status}); {hint}"
    if guarded := _explain_guard(refused):
        return f"status {status} at {path} {guarded}"
    if ahead := find_clock_difference(refused, now):
        side = "ahead of" if ahead > 0 else "behind"
        return (
            f"the target's clock is {abs(ahead)} s {side} this machine's, so signatures are too old or too new for it"
        )
    start = await _ask_for_start(send)
    if start is not None and shape_of(start, None) == shape_of(refused, None):
        said = _quote(refused)
        return f"every path answers {status}, as {path} does ({said}): a proxy, or the host has another name"
    as_unsigned = (
        "as it answers unsigned ones" if unsigned is not None and unsigned.status == status else "to all types"
    )
    return (
        f"{path} answers {status} to signed events, {as_unsigned} ({_quote(refused)}): the signing secret is not this "
        "endpoint's, or api_version in [webhook] is not the one that it expects"
    )


async def _ask_for_start(send: Callable[[Request], Awaitable[Exchange]]) -> Answer | None:
    """Return what is answered to whoever asks for the start page."""
    answer = (await send(Request("GET", "/", (), b"", "the start page"))).answer
    return answer if isinstance(answer, Answer) else None


def _quote(answer: Answer) -> str:
    """Return the beginning of a body, whose sensitive values are replaced: the best hint that there is."""
    text = " ".join(answer.body.split())
    return f"it says {text[:_QUOTED]!r}" if text else "without a word"


def _explain_redirect(path: str, status: int, location: str) -> str:
    if any(word in path_of(location).lower() for word in _LOGIN):
        return f"{path} is behind a login (status {status} to {location}): let Payproof's requests through"
    return f"{path} is redirected (status {status}) to {location}: Stripe does not follow, put that into [webhook] path"


async def _ask(send: Callable[[Request], Awaitable[Exchange]], path: str) -> Answer | None:
    """Return the answer to an empty delivery without a signature, if one comes."""
    answer = (await send(Request("POST", path, STRIPE_HEADERS, b"{}", "an empty delivery, unsigned"))).answer
    return answer if isinstance(answer, Answer) else None


async def _find_nearest(send: Callable[[Request], Awaitable[Exchange]], path: str) -> tuple[str, int] | None:
    """Return a path that takes deliveries, and its status: with or without a slash, or one that is usual."""
    elsewhere = ABSENT | REDIRECTS | frozenset(_SUCCESS)
    bare, query = path_of(path), path.partition("?")[2]
    slashed = bare.rstrip("/") if bare.endswith("/") else f"{bare}/"
    for one in dict.fromkeys((with_query(slashed, query) if slashed else "/", *CUSTOMARY_PATHS)):
        answer = await _ask(send, one)
        if one != path and answer is not None and answer.status not in elsewhere:
            return one, answer.status
    return None


def _explain_guard(refused: Answer) -> str:
    """Return what stands in front of the webhook, by its answer; nothing where that is the webhook's own."""
    if any(word in refused.body.lower() for word in _CSRF):
        return "asks for a token against forged requests (CSRF), which Stripe does not have: exempt the route from that"
    if refused.status in _GUARDED and _is_guarded(refused):
        return "comes from a login or a proxy in front of it: let Payproof's requests through"
    return ""


def _is_guarded(answer: Answer) -> bool:
    """Whether an answer is a page or a challenge of what stands in front, and not the endpoint's own."""
    kind = answer.header("content-type") or ""
    return answer.header("www-authenticate") is not None or (
        kind.startswith("text/html") and "<form" in answer.body.lower()
    )


def find_clock_difference(answer: Answer, now: int) -> int:
    """Return by how many seconds the target's clock is ahead, where that is more than Stripe's tolerance, else 0."""
    try:
        ahead = int(parsedate_to_datetime(answer.header("date") or "").timestamp()) - now
    except (ValueError, TypeError):
        return 0
    return ahead if abs(ahead) > _TOLERANCE else 0
