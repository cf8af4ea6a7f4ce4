"""The values that a run made up, in every form in which they may turn up, and the search for all of them at once.

A value is looked for as it is, in the other case, reversed, and as an unkeyed digest. What is encoded is decoded by the
codecs, and digits in groups by ``digits``.
"""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

from payproof.scan.characters import one, word
from payproof.scan.streams import Bits, Places
from payproof.scan.view import View

__all__ = ["Canaries", "Canary", "CanaryForm", "group_digits"]

_SHORTEST = 6  # a shorter text would be found by chance
_STRIDE = 8  # one word of so many bytes is looked at in each so many
_LONG = 2 * _STRIDE - 1  # a text so long holds one of the words, wherever it stands
_TABLE_BITS = 18
_FACTOR = np.uint64(0x9E3779B97F4A7C15)  # 2^64 divided by the golden ratio (Knuth, 6.4)
_DIGESTS = ("md5", "sha1", "sha256", "sha512")
_NUMBER = re.compile(rb"\d(?:[\d -]{10,30})\d")


@dataclass(frozen=True, slots=True)
class Canary:
    """A made-up value: its sort, which one it is, and its text."""

    kind: str
    label: str
    value: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class CanaryForm:
    """A form of a canary that is searched for, and what it is: ``as it is``, ``reversed``, ``sha256 in hex``, ..."""

    canary: Canary
    how: str
    text: bytes = field(repr=False)


class Canaries:
    """Canaries in all their forms."""

    def __init__(self, values: Iterable[Canary]) -> None:
        given = tuple(values)
        self.values = tuple(value for value in given if len(value.value) >= _SHORTEST)
        #: Those that are too short to be looked for: they would be found by chance.
        self.too_short = tuple(value for value in given if len(value.value) < _SHORTEST)
        forms: dict[bytes, CanaryForm] = {}
        for canary in self.values:
            for form in _make_forms(canary):
                forms.setdefault(form.text, form)
        self._long = tuple(form for form in forms.values() if len(form.text) >= _LONG)
        self._short = tuple(form for form in forms.values() if len(form.text) < _LONG)
        #: Canaries that are numbers, by their digits.
        self.numbers: Mapping[str, Canary] = {
            _strip_gaps(canary.value).decode(): canary for canary in self.values if _NUMBER.fullmatch(canary.value)
        }

    @classmethod
    def of_secrets(cls, secrets: Mapping[str, str]) -> "Canaries":
        """Return a target's own secrets, by the names under which they are configured, as values to look for."""
        return cls(Canary("configured secret", name, value.encode()) for name, value in secrets.items())

    @property
    def anchor(self) -> Bits:
        """Where a form begins that is too short for the search by words."""
        result = one("\x7f") & ~one("\x7f")
        for form in self._short:
            result |= word(form.text.decode("latin-1"))
        return result

    def find(self, view: View, short: Places) -> Iterator[tuple[int, CanaryForm]]:
        """Return the place of each form; ``short`` is where the anchor is true."""
        for place in short.tolist():
            for form in self._short:
                if view.data.startswith(form.text, place):
                    yield place, form
        if self._long:
            yield from self._find_by_words(view)

    def _find_by_words(self, view: View) -> Iterator[tuple[int, CanaryForm]]:
        words = view.every(_STRIDE)
        likely = np.flatnonzero(self._table[(words * _FACTOR) >> np.uint64(64 - _TABLE_BITS)])
        known, order = self._words
        begins = np.searchsorted(known, words[likely], "left").tolist()
        ends = np.searchsorted(known, words[likely], "right").tolist()
        for index, begin, end in zip(likely.tolist(), begins, ends, strict=True):
            for which in order[begin:end].tolist():
                form = self._long[which // _STRIDE]
                place = view.begin + index * _STRIDE - which % _STRIDE
                if place >= view.begin and view.data.startswith(form.text, place):
                    yield place, form

    @cached_property
    def _words(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.intp]]:
        """The first whole words of each form, for each way in which they may lie in it, sorted; and whose they are.

        The word at byte ``b`` of the form ``f`` has the number ``f * _STRIDE + b``.
        """
        heads = np.frombuffer(b"".join(form.text[:_LONG] for form in self._long), np.uint8).reshape(-1, _LONG)
        windows = np.lib.stride_tricks.sliding_window_view(heads, _STRIDE, axis=1)
        words = np.ascontiguousarray(windows).view("<u8").ravel()
        order = np.argsort(words, kind="stable")
        return words[order], order

    @cached_property
    def _table(self) -> npt.NDArray[np.bool_]:
        table = np.zeros(1 << _TABLE_BITS, np.bool_)
        table[(self._words[0] * _FACTOR) >> np.uint64(64 - _TABLE_BITS)] = True
        return table

    def __reduce__(self) -> tuple[type, tuple[tuple[Canary, ...]]]:
        return Canaries, (self.values + self.too_short,)


def _strip_gaps(value: bytes) -> bytes:
    return value.translate(None, b" -")


@lru_cache(maxsize=4096)  # a run looks for the same values, and now and then for one more
def _make_forms(canary: Canary) -> tuple[CanaryForm, ...]:
    return tuple(CanaryForm(canary, how, text) for how, text in _list_forms(canary.value))


def _list_forms(value: bytes) -> Iterator[tuple[str, bytes]]:
    """Return every form of a value that is searched for, and what it is."""
    yield "as it is", value
    for text in {value.lower(), value.upper()} - {value}:
        yield "in the other case", text
    yield "reversed", value[::-1]
    for text in dict.fromkeys((value, value.lower(), value.strip(), *_list_spellings(value))):
        for name in _DIGESTS:
            digest = hashlib.new(name, text, usedforsecurity=False).digest()
            yield f"{name} in hex", digest.hex().encode()
            yield f"{name} in hex", digest.hex().upper().encode()
            coded = b64encode(digest).rstrip(b"=")
            yield f"{name} in base64", coded
            yield f"{name} in base64", coded.translate(bytes.maketrans(b"+/", b"-_"))
            yield f"{name} in binary", digest


def _list_spellings(value: bytes) -> Iterator[bytes]:
    """Return the ways in which a number may have been written when it was digested."""
    if _NUMBER.fullmatch(value):
        digits = _strip_gaps(value)
        yield digits
        yield from group_digits(digits)


def group_digits(digits: bytes) -> Iterator[bytes]:
    """Yield digits in groups of four, apart by spaces and by dashes."""
    groups = [digits[start : start + 4] for start in range(0, len(digits), 4)]
    for gap in (b" ", b"-"):
        yield gap.join(groups)
