from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Answer, Exchange
from payproof.domain.request import Request
from payproof.domain.sensitive import Secret
from payproof.domain.step import Step
from payproof.domain.surface import PLACES, Surface
from payproof.domain.urls import nowhere
from payproof.registry import step

__all__ = ["LookAround"]

_SUCCESS = range(200, 300)
_SHOWN = 6  # characters behind the prefix of a key, which nobody is to be shown


@step
@dataclass(frozen=True, slots=True)
class LookAround(Step):
    """Ask, as nobody, for places that show more than the application, such as ``/.env`` and ``/server-status``.

    A page that the target gives at any place is no such place. The beginning of a secret counts as the secret.
    """

    name: ClassVar[str] = "look_around"
    surface: Surface = "files"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Ask for a place that there is not, and then for one after the other."""
        for secret in _secrets(context):
            prefix = secret.reveal().rpartition("_")[0]
            start = secret.reveal()[: len(prefix) + 1 + _SHOWN] if prefix else secret.reveal()[: 2 * _SHOWN]
            context.canaries.conceal("secret", f"the beginning of the {secret.label}", start.encode())
        name = f"payproof-{context.random.getrandbits(32):08x}"
        missing = await context.send(_ask(nowhere("/", "/payproof", name)))
        asked = [await context.send(_ask(place)) for place in PLACES[self.surface]]
        return [one for one in asked if not _is_like(one, missing)]


def _secrets(context: Context) -> Iterator[Secret]:
    target = context.target
    yield target.webhook.secret
    if target.api_key is not None:
        yield target.api_key


def _ask(place: str) -> Request:
    headers = ((b"Accept", b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),)
    return Request("GET", place, headers, b"", f"GET {place}", variant=f"GET {place}")


def _is_like(one: Exchange, missing: Exchange) -> bool:
    """Whether a good answer is the one that is given at any place, as by an application of one page."""
    mine, theirs = one.answer, missing.answer
    if not isinstance(mine, Answer) or not isinstance(theirs, Answer) or mine.status not in _SUCCESS:
        return False
    place, elsewhere = one.sent.url.rpartition("/")[2], missing.sent.url.rpartition("/")[2]
    return mine.status == theirs.status and (
        mine.body == theirs.body or mine.body.replace(place, "") == theirs.body.replace(elsewhere, "")
    )
