from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.detector import PUBLISHED_TEST
from payproof.domain.finding import Finding
from payproof.domain.kind import name_kind
from payproof.domain.leak import OWN_VALUE, Leak
from payproof.domain.observation import Searched
from payproof.domain.seen import Seen
from payproof.domain.spots import spot_of_leak
from payproof.registry import check

__all__ = ["NoPaymentData"]


@check
@dataclass(frozen=True, slots=True)
class NoPaymentData(Check):
    """No place that was searched holds what looks like a card number, authentication data, bank data or a secret.

    Of card numbers it tells those that are published for tests from all others: a live one outside production and a
    test one in production are each a fault of another kind.
    """

    name: ClassVar[str] = "no_payment_data"
    reads: ClassVar[type] = Searched
    own_control: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each kind of data and each column or file that holds it."""
        for search in seen.searches:
            for one in search.leaks:
                if search.wanted == "patterns":
                    times = f", {one.count} times" if one.count > 1 else ""
                    shown = f" ({one.shown})" if one.shown and one.kind != OWN_VALUE else ""
                    what = f"{one.what}{shown}{_mode(one, live=search.live)}, {one.how}, in "
                    what += f"{search.locate(one.place)}{times}"
                    yield Finding(
                        self.name,
                        "no payment data and no secret",
                        what,
                        search.step,
                        one.confidence,
                        what=one.sort if one.kind == OWN_VALUE else one.what,
                        kind=name_kind(one.sort, one.label),
                        spot=spot_of_leak(search, one.place),
                    )

    def note(self, seen: Seen) -> str:
        """Tell how much was searched."""
        return "; ".join(f"{one.source}: {one.pieces:,} pieces, {one.length:,} bytes" for one in seen.searches)


def _mode(one: Leak, *, live: bool) -> str:
    if one.kind != "pan":
        return ""
    if PUBLISHED_TEST in one.what:
        return ", in production" if live else ""
    return "" if live else ", not one of those for tests, outside production"
