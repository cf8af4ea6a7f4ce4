"""Decoded parts of a text, with the place that each byte came from, and what codecs share to find and make them."""

import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from payproof.scan.streams import Places
from payproof.scan.view import View

__all__ = [
    "DecodedPart",
    "Read",
    "Unread",
    "Where",
    "cluster_places",
    "find_stretches",
    "merge_places",
    "read_token",
    "remove_matches",
    "shift_places",
    "substitute",
    "thin_places",
]

_FEW = 64
_NEAR = 192  # characters around what was seen that are decoded with it

Where = Callable[[int], int]

#: Gives the bytes from a place on, up to so many, also where the text goes on behind what is searched.
Read = Callable[[int, int], bytes]


@dataclass(frozen=True, slots=True)
class DecodedPart:
    """A decoded part of a text: from where to where it stood, in which encoding, what it says.

    ``where`` gives, for an offset into ``data``, the place in the text; without it every byte stands at the start.
    """

    start: int
    end: int
    encoding: str
    data: bytes = field(repr=False)
    where: Where | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Unread:
    """A part of the data that could not be read, or not to its end: its byte offset, its decoding path, and why."""

    start: int
    why: str
    path: tuple[str, ...] = ()


def shift_places(where: Where, by: int) -> Where:
    """Return the places that so many bytes before them make of those of a text."""
    return lambda place: by + where(place)


def merge_places(*places: Places) -> Places:
    """Return places of several sorts, each once, ascending."""
    every = np.concatenate(places)
    if every.size > 1:
        every.sort()
        every = every[np.append(True, every[1:] != every[:-1])]
    return every


def thin_places(places: Places, phases: int = 1) -> list[int]:
    """Return the first of the places in each 64 bytes, of each remainder by ``phases``: no more are needed."""
    if len(places) > _FEW:
        first = np.unique((places >> 6) * phases + places % phases, return_index=True)[1]
        first.sort()
        places = places[first]
    return [int(place) for place in places]


def cluster_places(view: View, places: Iterable[int], gap: int) -> Iterator[list[int]]:
    """Group places of one text of which each is at most so far from the one before."""
    group: list[int] = []
    limit = 0
    for place in places:
        if group and (place - group[-1] > gap or place >= limit):
            yield group
            group = []
        if not group:
            limit = view.following(place)
        group.append(place)
    if group:
        yield group


def find_stretches(
    view: View, places: Iterable[int], run: re.Pattern[bytes], run_back: re.Pattern[bytes]
) -> Iterator[tuple[int, int, list[int]]]:
    """Return from where to where characters of an encoding stand around places that were seen, and these places.

    ``run`` matches such characters, and ``run_back`` the same read backwards; what is further away is left out.
    """
    left = right = 0
    seen: list[int] = []
    for place in places:
        if seen and place < right:
            seen.append(place)
        else:
            if seen:
                yield left, right, seen
            before = bytes(view.data[max(0, place - _NEAR) : place])[::-1]
            left = place - run_back.match(before).end()  # type: ignore[union-attr]
            seen = [place]
        right = run.match(view.data, place, place + _NEAR).end()  # type: ignore[union-attr]
    if seen:
        yield left, right, seen


def read_token(pattern: re.Pattern[bytes], view: View, start: int, read: Read, most: int) -> bytes:
    """Return what matches from a place on, up to so many bytes, also where it goes on behind what is searched."""
    end = view.within(start, start, start + most)[1]
    match = pattern.match(view.data, start, end)
    if match is None or match.end() < end:
        return bytes(match[0]) if match else b""
    raw = read(start, most)
    return raw[: pattern.match(raw).end()]  # type: ignore[union-attr]


def substitute(pattern: re.Pattern[bytes], value: Callable[[bytes], bytes], text: bytes) -> tuple[bytes, Where]:
    """Return a text with each match replaced by its value, and the place in the text of each byte of it."""
    parts: list[bytes] = []
    made, kept = (
        array("I", [0]),
        array("I", [0]),
    )  # where parts begin, in the result and in the text: one as it stands, one replaced, in turns
    done = 0
    for match in pattern.finditer(text):
        for part, source in ((text[done : match.start()], match.start()), (value(match[0]), match.end())):
            parts.append(part)
            made.append(made[-1] + len(part))
            kept.append(source)
        done = match.end()
    parts.append(text[done:])

    def where(place: int) -> int:
        part = bisect_right(made, place) - 1
        return kept[part] if part % 2 else kept[part] + place - made[part]

    return b"".join(parts), where


def remove_matches(pattern: re.Pattern[bytes], text: bytes) -> tuple[bytes, Where]:
    """Return a text without what matches, and the place in the text of each byte of it."""
    return substitute(pattern, lambda _: b"", text)
