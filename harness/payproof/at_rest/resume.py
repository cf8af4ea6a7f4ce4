"""Remembers what a search has done before it was broken off, in a file of JSON lines that shows nothing sensitive."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import blake2b
from pathlib import Path
from typing import IO, Any

from payproof.domain.documents import read_json
from payproof.domain.finding import Confidence, Severity
from payproof.domain.leak import Leak, NotRead, Place, SearchEvent, UnitSearched
from payproof.errors import ConfigurationError

__all__ = ["Resume"]


class Resume:
    """Remembers units with their events; a unit counts once all of it is written.

    Args:
        path: the file; None remembers nothing.
        settings: what must be the same for a search to go on.

    Raises:
        ConfigurationError: the file cannot be used.
    """

    def __init__(self, path: Path | None, settings: dict[str, Any]) -> None:
        self._path = path
        self._file: IO[str] | None = None
        self._done: dict[str, list[SearchEvent]] = {}
        if path is None:
            return
        try:
            if path.exists():
                self._read(path, settings)
            self._file = path.open("a", encoding="utf-8")
            if not self._file.tell():
                self._write({"settings": settings})
        except OSError as error:
            raise ConfigurationError(f"--resume cannot be used: {error.strerror}", file=path) from None

    def knows(self, unit: str) -> bool:
        """Whether a unit was searched before."""
        return _hash_name(unit) in self._done

    def read_events(self) -> Iterator[SearchEvent]:
        """Yield the events of all units that were searched before."""
        for events in self._done.values():
            yield from events

    def add(self, unit: str, events: list[SearchEvent]) -> None:
        """Remember a unit with all its events."""
        if self._file is not None:
            self._write({"unit": _hash_name(unit), "events": [{type(one).__name__: asdict(one)} for one in events]})

    def close(self, *, complete: bool) -> None:
        """Let go of the file; after a complete search there is nothing to go on with, and it is removed."""
        if self._file is not None and self._path is not None:
            self._file.close()
            if complete:
                self._path.unlink(missing_ok=True)

    def _write(self, value: dict[str, Any]) -> None:
        assert self._file is not None
        self._file.write(json.dumps(value) + "\n")
        self._file.flush()

    def _read(self, path: Path, settings: dict[str, Any]) -> None:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        for number, line in enumerate(lines, 1):
            try:
                value = read_json(line)
                if number == 1:
                    if value["settings"] != settings:
                        raise ConfigurationError(
                            "it belongs to a search with other sources or options", hint="remove it", file=path
                        )
                else:
                    self._done[value["unit"]] = [_parse_event(one) for one in value["events"]]
            except (ValueError, KeyError, TypeError, AttributeError):
                if number == len(lines) > 1:
                    break  # the search was broken off while it wrote this
                problem = "it is no file that --resume has written"
                raise ConfigurationError(problem, file=path, line=number) from None


def _hash_name(unit: str) -> str:
    """Return a name for a unit that shows nothing of it: a file's name may hold anything."""
    return blake2b(unit.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def _parse_event(value: dict[str, Any]) -> SearchEvent:
    ((name, fields),) = value.items()
    if name == "UnitSearched":
        return UnitSearched(**fields)
    place = fields["place"]
    fields["place"] = Place(**place | {"part": tuple(place["part"]), "path": tuple(place["path"])})
    if name == "NotRead":
        return NotRead(**fields)
    sure, severe = Confidence(fields["confidence"]), Severity(fields["severity"])
    return Leak(**fields | {"confidence": sure, "severity": severe})
