"""What an owner accepts for now: waivers with a reason and a last day, and the baseline of what was there before."""

from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

__all__ = ["AcceptedRisk", "AcceptedRisks"]


@dataclass(frozen=True, slots=True)
class AcceptedRisk:
    """A waiver for a leak or a problem, or for those at a place, until a day; ``name`` is how its owner finds it."""

    name: str
    fingerprint: str | None
    location: str | None
    kind: str | None
    reason: str
    expires: date
    owner: str = ""

    def fits(self, *, kind: str, fingerprint: str, location: str) -> bool:
        """Whether it is about something of a kind at a place."""
        if self.kind is not None and self.kind != kind:
            return False
        if self.fingerprint is not None:
            return self.fingerprint == fingerprint
        return fnmatchcase(location, self.location or "")

    @property
    def told(self) -> str:
        """The reason, with who accepts it and until when."""
        return f"{self.reason} ({self.owner + ', ' if self.owner else ''}until {self.expires})"


@dataclass(frozen=True, slots=True)
class AcceptedRisks:
    """The waivers and the baseline that a run is judged by; ``known`` are fingerprints, ``file`` holds the waivers."""

    known: frozenset[str] = frozenset()
    waivers: tuple[AcceptedRisk, ...] = ()
    file: str = ""
