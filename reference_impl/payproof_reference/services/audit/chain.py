"""The chain of digests over the audit log: what makes a change to it show (PCI DSS 10.3.2, 10.3.4).

Every record carries a keyed digest over itself and the digest before it. Two sealed anchors hold where the chain
begins and ends, because nothing after a last record would tell that it was the last. Nothing here does I/O.

Whoever has the key can forge the chain, and whoever has an old copy of the whole log can put it back. Against the
latter, keep the anchor that `verify-audit` prints in another place, and give it to the next run.

A key can be exchanged: the last record under the old key says so, and the anchors are sealed under the new one. From
then on the old key forges nothing, because what follows under the new key is bound to the digests before it.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from payproof_reference.text.digests import compute_digest

__all__ = [
    "GENESIS",
    "KEY_EXCHANGED",
    "Anchor",
    "BrokenLog",
    "ChainFault",
    "IntactLog",
    "Mark",
    "check",
    "digest_of",
    "seal_mark",
]

Row = Mapping[str, Any]

# The event of the last record under a key.
KEY_EXCHANGED = "audit_key_exchanged"


class ChainFault(StrEnum):
    """What is wrong at the first broken place."""

    ALTERED = "the record was changed, inserted or moved"
    REMOVED = "the record is missing"
    TRUNCATED = "the records from here to the end are missing"
    APPENDED = "the record was added behind the sealed end"
    REWRITTEN = "the record is not the one that the kept anchor names"
    START_FORGED = "the anchor of the start is missing or not genuine"
    END_FORGED = "the anchor of the end is missing or not genuine"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the chain: the sequence of a record and its digest."""

    sequence: int
    digest: str


GENESIS = Mark(0, "")


@dataclass(frozen=True, slots=True)
class Anchor:
    """A named and sealed mark: `start`, the last record that was purged, or `end`, the last that there is."""

    name: str
    mark: Mark
    seal: str

    def is_genuine(self, key: bytes) -> bool:
        """Tell whether somebody with the key made it."""
        return hmac.compare_digest(self.seal.encode(), seal_mark(key, self.name, self.mark).seal.encode())


@dataclass(frozen=True, slots=True)
class IntactLog:
    """The log is whole: how many records it has, and the mark of the last one, to be kept in another place."""

    records: int
    end: Mark


@dataclass(frozen=True, slots=True)
class BrokenLog:
    """The log is not: the sequence of the first broken place, and what is wrong there."""

    sequence: int
    fault: ChainFault


def digest_of(key: bytes, previous: str, record: Row) -> str:
    """Compute the digest of a record that follows one with the digest `previous`.

    Empty fields do not count, so that a column can be added later without breaking the records before it.
    """
    fields = {name: value for name, value in record.items() if value is not None and name != "digest"}
    return compute_digest(key, "audit record", [previous, fields])


def seal_mark(key: bytes, name: str, mark: Mark) -> Anchor:
    """Build a genuine anchor."""
    return Anchor(name, mark, compute_digest(key, "audit anchor", [name, mark.sequence, mark.digest]))


def check(
    keys: Sequence[bytes], start: Anchor | None, records: Iterable[Row], end: Anchor | None, kept: Mark | None = None
) -> IntactLog | BrokenLog:
    """Follow the chain from start to end, and stop at the first place that is broken.

    Args:
        keys: those that the log had, oldest first; the last is that of today.
        start: the anchor of that name, None when there is none.
        records: all of them, by sequence.
        end: the anchor of that name, None when there is none.
        kept: a mark from an earlier check, kept in another place.
    """
    if start is None or not start.is_genuine(keys[-1]):
        return BrokenLog(1, ChainFault.START_FORGED)
    last = follow(keys, start.mark, records, kept)
    if isinstance(last, BrokenLog):
        return last
    after = last.sequence + 1
    if end is None or not end.is_genuine(keys[-1]):
        return BrokenLog(after, ChainFault.END_FORGED)
    if last.sequence < max(end.mark.sequence, kept.sequence if kept else 0):
        return BrokenLog(after, ChainFault.TRUNCATED)
    if last != end.mark:
        return BrokenLog(end.mark.sequence + 1, ChainFault.APPENDED)
    return IntactLog(last.sequence - start.mark.sequence, last)


def follow(keys: Sequence[bytes], last: Mark, records: Iterable[Row], kept: Mark | None) -> Mark | BrokenLog:
    """Follow the records that come after `last`; return the mark of the last of them."""
    left = list(keys)
    first = last.sequence + 1
    for record in records:
        mark = Mark(record["sequence"], record["digest"])
        if mark.sequence > last.sequence + 1:
            return BrokenLog(last.sequence + 1, ChainFault.REMOVED)
        while mark.digest != digest_of(left[0], last.digest, record):
            # A purge may have removed all records under the oldest keys. Behind the first, only the log itself says
            # where the next key begins.
            if mark.sequence != first or len(left) == 1:
                return BrokenLog(mark.sequence, ChainFault.ALTERED)
            del left[0]
        if mark.sequence <= last.sequence:
            return BrokenLog(mark.sequence, ChainFault.ALTERED)
        if record["event"] == KEY_EXCHANGED and len(left) > 1:
            del left[0]
        if kept is not None and mark.sequence == kept.sequence and mark != kept:
            return BrokenLog(mark.sequence, ChainFault.REWRITTEN)
        last = mark
    return last
