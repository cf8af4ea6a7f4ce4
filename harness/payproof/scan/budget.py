"""Bounds how much is decoded, from one block and from some blocks together."""

from collections.abc import Iterable, Iterator

from payproof.scan.pieces import DecodedPart, Unread

__all__ = ["DecodingBudget"]

_MOST_OF_ONE = 16 * 1024 * 1024  # bytes decoded from one block
_MOST_UNREAD = 100  # parts of one block that are reported one by one
_MOST_OF_ALL = 128 * 1024 * 1024  # bytes decoded from what was decoded, too, until all of it is reported


class DecodingBudget:
    """The bytes that may still be decoded. What a bound leaves out is reported as not read, never silently."""

    def __init__(self) -> None:
        self._left = _MOST_OF_ALL

    def limit(self, decoded: Iterable[DecodedPart | Unread]) -> Iterator[DecodedPart | Unread]:
        """Yield what is decoded from one block until a bound is reached."""
        made = unread = 0
        for one in decoded:
            if isinstance(one, DecodedPart):
                made += len(one.data)
                self._left -= len(one.data)
                if made > _MOST_OF_ONE or self._left < 0:
                    most = (_MOST_OF_ONE if made > _MOST_OF_ONE else _MOST_OF_ALL) // 2**20
                    yield Unread(one.start, f"decoded data is more than {most} MiB: the rest was not decoded")
                    return
            else:
                unread += 1
                if unread > _MOST_UNREAD:
                    continue
                if unread == _MOST_UNREAD:
                    yield Unread(one.start, "more parts of this block could not be read")
                    continue
            yield one
