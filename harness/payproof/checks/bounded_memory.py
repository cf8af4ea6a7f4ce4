from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding, Spot
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel, MemorySeen
from payproof.domain.seen import Seen
from payproof.registry import check

__all__ = ["BoundedMemory"]

_MEBIBYTE = 1024 * 1024
_WHOLE = 0.9  # of a body: what was freed before makes room for a part of it
_SPOT = Spot(Channel.PROCESS, "the target's processes")


@check
@dataclass(frozen=True, slots=True)
class BoundedMemory(Check):
    """The target's processes never took as much more memory as the largest body is long: none held it whole."""

    name: ClassVar[str] = "bounded_memory"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.PROCESS})
    reads: ClassVar[type | None] = MemorySeen

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each step in which memory has grown by a whole body."""
        for one in _measured(seen):
            if one.growth is not None and one.growth >= _WHOLE * one.largest:
                expected = f"less than the {one.largest // _MEBIBYTE:,} MiB of the body"
                told = f"{one.growth // _MEBIBYTE:,} MiB more in use"
                yield Finding(self.name, expected, told, one.step, kind=Kind.MEMORY, spot=_SPOT)

    def find_unjudged(self, seen: Seen) -> Iterator[str]:
        """Tell why memory could not be measured."""
        for one in _measured(seen):
            if one.growth is None:
                yield f"memory of the target's processes: {one.why}"


def _measured(seen: Seen) -> Iterator[MemorySeen]:
    yield from (one for one in seen.observations if isinstance(one, MemorySeen))
