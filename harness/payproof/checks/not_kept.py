from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.kind import Kind, name_kind
from payproof.domain.observation import Answer, Searched
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_leak
from payproof.registry import check

__all__ = ["NotKept"]

_SUCCESS = range(200, 300)


@check
@dataclass(frozen=True, slots=True)
class NotKept(Check):
    """Nothing that was offered is kept, in no place that was searched (PCI DSS 3.2.1, 3.3.1, 3.5.1).

    ``forms`` says what is meant: values that are ``written`` in some encoding, values that are ``hashed`` without a key
    (3.5.1.1), or both.
    """

    name: ClassVar[str] = "not_kept"
    reads: ClassVar[type] = Searched
    forms: Literal["written", "hashed", "any"] = "any"

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each value and each column or file that holds it."""
        expected = "no digest without a key" if self.forms == "hashed" else "nothing of what was offered"
        for search in seen.searches:
            for one in search.leaks:
                if search.wanted == "canaries" and self.forms in {"any", "hashed" if one.is_digest else "written"}:
                    times = f", {one.count} times" if one.count > 1 else ""
                    what = f"{one.what}, {one.how}, in {search.locate(one.place)}{times}"
                    yield Finding(
                        self.name,
                        expected,
                        what,
                        search.step,
                        one.confidence,
                        what=one.sort,
                        kind=Kind.DIGEST if one.is_digest else name_kind(one.sort, one.label),
                        spot=spot_of_leak(search, one.place),
                    )

    def note(self, seen: Seen) -> str:
        """Tell how many of the events that offered something were refused: nothing of those had a chance to be kept."""
        answers = [one.answer for one in seen.exchanges]
        refused = sum(not isinstance(one, Answer) or one.status not in _SUCCESS for one in answers)
        return f"{refused} of {len(answers)} deliveries were not accepted" if refused else ""
