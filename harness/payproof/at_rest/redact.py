"""Masks payment data in all that is shown: names, keys and whole reports are searched as the data was."""

from payproof.domain.detector import Detector, Hit
from payproof.domain.finding import Confidence
from payproof.errors import PayproofError
from payproof.scan.scanner import Scanner

__all__ = ["Redactor"]

_LOOKS = 3


class Redactor:
    """Masks what detectors find in texts that are shown."""

    def __init__(self, detectors: tuple[Detector, ...]) -> None:
        self._scanner = Scanner(detectors, Confidence.MEDIUM)

    def redact(self, text: str) -> str:
        """Return the text with all payment data masked, whatever it is encoded in.

        Raises:
            PayproofError: it cannot be masked.
        """
        data = text.encode("utf-8", "backslashreplace")  # names that are no text stay different from each other
        for _ in range(_LOOKS):
            hits = [one for one in self._scanner.scan(data) if isinstance(one, Hit)]
            if not hits:
                return data.decode("utf-8", "replace")
            for hit in sorted(hits, key=lambda one: one.start, reverse=True):
                shown = b"" if hit.path else hit.shown.encode()
                data = data[: hit.start] + (shown or b"[" + hit.kind.encode() + b"]") + data[hit.end :]
        raise PayproofError("a text holds payment data that cannot be masked; it is not shown")
