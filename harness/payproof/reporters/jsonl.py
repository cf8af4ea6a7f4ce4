import json
from typing import IO

from payproof.domain.events import RunEvent
from payproof.language import encode_event

__all__ = ["JsonLines"]


class JsonLines:
    """Writes a run record: a header line, a line for each case with all that was observed, a footer line."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def handle(self, event: RunEvent) -> None:
        """Write one event."""
        content = encode_event(event)
        if content is not None:
            self._file.write(json.dumps(content, ensure_ascii=True, separators=(",", ":")) + "\n")
            self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
