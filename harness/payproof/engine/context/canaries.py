from collections.abc import Mapping

from payproof.canary import Ledger, spellings
from payproof.scan.canaries import Canary
from payproof.scan.own_values import ValueFinder

__all__ = ["CaseCanaries"]


class CaseCanaries:
    """The values of one phase that must turn up nowhere; ``wanted`` are those that its searches look for."""

    def __init__(self, ledger: Ledger, values: Mapping[str, str]) -> None:
        self._ledger = ledger
        self.wanted: list[Canary] = []
        self._finder: tuple[int, ValueFinder] | None = None
        for kind, value in values.items():
            self.conceal(kind, f"canary {kind}", value.encode())

    def conceal(self, kind: str, label: str, value: bytes) -> None:
        """Register a value that must appear nowhere."""
        self._ledger.add(kind, label, value)

    def trace(self, kind: str, label: str, value: bytes) -> None:
        """Register a text of the run's own that must stand in nothing from now on, though the run's report tells it."""
        self._ledger.add(kind, label, value, harmless=True)

    def note_offered(self, kind: str, label: str, value: bytes) -> None:
        """Remember a value that looks like payment data by chance, and may stand anywhere."""
        self._ledger.note_offered(kind, label, value)

    def look_for(self, kind: str, label: str, value: bytes) -> None:
        """Register a value that must appear nowhere, and look for it in every search of this phase."""
        for form in spellings(value):
            self.conceal(kind, label, form)
        self.wanted.append(Canary(kind, label, value))

    def veil(self, text: bytes) -> bytes:
        """Return a text with every value that is looked for replaced, also where it is encoded.

        What is recorded of a log must hold none, and the ledger knows them only as they are written.
        """
        if not self.wanted:
            return text
        if self._finder is None or self._finder[0] != len(self.wanted):
            self._finder = len(self.wanted), ValueFinder(self.wanted)
        for span in reversed(self._finder[1].spans(text)):
            text = text[: span.start] + f"[{span.kind}: {span.label}]".encode() + text[span.end :]
        return text
