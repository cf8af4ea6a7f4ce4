from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.exposures import finding_of_exposure, spot_of_exposed_line
from payproof.domain.finding import Finding
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.registry import check
from payproof.stripe.upstream.errors import KIND

__all__ = ["NothingSensitiveLogged"]


@check
@dataclass(frozen=True, slots=True)
class NothingSensitiveLogged(Check):
    """No log line holds a secret, a signature or personal data.

    What Stripe's errors tell is as sensitive, but for the fields that the contract lets the log hold.
    """

    name: ClassVar[str] = "nothing_sensitive_logged"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.LOG})
    rule: ClassVar[str] = "audit_log/nothing_sensitive"
    watches: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each value and each line that holds it."""
        for lines in seen.lines:
            for one in lines.exposures:
                if one.kind == KIND and one.label in seen.contract.operations.logged:
                    continue
                spot = spot_of_exposed_line(lines, one)
                yield finding_of_exposure(self.name, one, f"log {lines.source}", lines.step, spot)
