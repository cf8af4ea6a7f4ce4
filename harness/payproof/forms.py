"""Finds texts of known forms in bytes: as they are, and as they read inside a JSON string or on an HTML page."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import ClassVar

from payproof.domain.detector import Detector, Hit
from payproof.domain.finding import Confidence

__all__ = ["Form", "FormDetector", "Forms"]

_DEEPEST = 2  # such as a traceback in a JSON string on a page, or in a JSON string in a JSON string
_CODE = rb"""\\(?:["'\\/bfnrt]|u[0-9a-fA-F]{4})|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});"""
_CODES, _CODES_AND_TAGS = re.compile(_CODE), re.compile(_CODE + rb"|</?[a-zA-Z][^<>]{0,999}>")
_ESCAPES = {b"b": b" ", b"f": b" ", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
_TAG_NAME = re.compile(rb"</?([a-zA-Z][a-zA-Z0-9]*)")
#: Tags that stand inside a line of text; any other one ends the line.
_INLINE = frozenset(b"a abbr b cite code em font i kbd mark s samp small span strong sub sup tt u var".split())


@dataclass(frozen=True, slots=True)
class Form:
    """One form of text: what it is, its pattern, and how surely a text of this form is that.

    ``needs`` are texts one of which is in whatever the pattern matches; looking for them saves a slow search where the
    pattern does not begin with a fixed text.
    """

    what: str
    pattern: bytes
    confidence: Confidence = Confidence.HIGH
    needs: tuple[bytes, ...] = ()


class Forms:
    """Several forms that are looked for together; a place is one hit of a form, however often it can be read there."""

    def __init__(self, *forms: Form) -> None:
        self._forms = [(form, re.compile(form.pattern)) for form in forms]

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return the hits in the order in which they stand; their offsets are those of the data as given."""
        hits = [
            Hit(*view.place(match.start(), match.end()), form.what, form.confidence)
            for view in _views(data)
            for form, pattern in self._forms
            if not form.needs or any(text in view.text for text in form.needs)
            for match in pattern.finditer(view.text)
        ]
        ends: dict[str, int] = {}
        for hit in sorted(hits, key=lambda hit: (hit.start, -hit.end)):
            if hit.start >= ends.get(hit.what, 0):
                ends[hit.what] = hit.end
                yield hit


class FormDetector(Detector):
    """A detector of texts of known forms; it finds whatever matches one of its ``forms``."""

    #: What is looked for.
    forms: ClassVar[Forms]

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return each text that has one of the forms."""
        return self.forms.find(data)


class _PlacedText:
    """A text, and where each part of it stands in the data that it was decoded from."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the data that a span of the text, not empty, was read from."""
        return start, end


class _DecodedText(_PlacedText):
    """A view with one layer of codes undone: JSON escapes, HTML entities, tags."""

    def __init__(self, inner: _PlacedText, codes: re.Pattern[bytes]) -> None:
        self._inner = inner
        # Parts of the inner text that were copied: where each begins here and there, and its length. Whatever stands
        # between two of them there is a code, and what stands between them here is what the code means.
        self._here, self._there, self._lengths = [0], [0], list[int]()
        pieces: list[bytes] = []
        for code in codes.finditer(inner.text):
            copied, meant = inner.text[self._there[-1] : code.start()], _decode(code.group())
            pieces += (copied, meant)
            self._lengths.append(len(copied))
            self._here.append(self._here[-1] + len(copied) + len(meant))
            self._there.append(code.end())
        pieces.append(inner.text[self._there[-1] :])
        self._lengths.append(len(pieces[-1]))
        super().__init__(b"".join(pieces))

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the data; a code that is read in part counts whole."""
        first, last = (bisect_right(self._here, position) - 1 for position in (start, end - 1))
        begins = self._there[first] + min(start - self._here[first], self._lengths[first])
        within = end - self._here[last]
        ends = self._there[last] + within if within <= self._lengths[last] else self._there[last + 1]
        return self._inner.place(begins, ends)


@lru_cache(maxsize=2)  # every detector asks for the views of the same data, one after another
def _views(data: bytes) -> tuple[_PlacedText, ...]:
    views = {data: _PlacedText(data)}
    source = views[data]
    for _ in range(_DEEPEST):
        # Once with tags, as a page may stand in a JSON string, and once without, as they may stand within a line.
        without_tags, source = _DecodedText(source, _CODES_AND_TAGS), _DecodedText(source, _CODES)
        for read in (without_tags, source):
            views.setdefault(read.text, read)
    return tuple(views.values())


def _decode(code: bytes) -> bytes:
    match code[:1]:
        case b"\\" if code[1:2] == b"u":
            return chr(int(code[2:6].decode(), 16)).encode("utf-8", "replace")
        case b"\\":
            return _ESCAPES.get(code[1:], code[1:])
        case b"&":
            return unescape(code.decode("ascii")).replace("\xa0", " ").encode("utf-8", "replace")
        case _:
            name = _TAG_NAME.match(code)
            return b"" if name is not None and name[1].lower() in _INLINE else b"\n"
