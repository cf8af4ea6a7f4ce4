from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar
from urllib.parse import urlsplit

from payproof.domain.check import Check
from payproof.domain.finding import Finding, Spot
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.domain.surface import recognise_exposed
from payproof.registry import check

__all__ = ["NothingExposed"]

_SUCCESS = range(200, 300)


@check
@dataclass(frozen=True, slots=True)
class NothingExposed(Check):
    """No place shows a file or a page of the machine: settings, repositories, dumps, the state of the server."""

    name: ClassVar[str] = "nothing_exposed"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})
    reads_bodies: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each that does; nothing of it is quoted."""
        for exchange in seen.exchanges:
            answer = exchange.answer
            if isinstance(answer, Answer) and answer.status in _SUCCESS:
                what = recognise_exposed(answer.body, answer.header("content-type") or "")
                if what:
                    place = f"GET {urlsplit(exchange.sent.url).path}"
                    expected, told, spot = "nothing of the machine", f"{place}: {what}", Spot(Channel.HTTP, place)
                    yield Finding(self.name, expected, told, exchange.step, kind=Kind.FILE_SHOWN, spot=spot)
