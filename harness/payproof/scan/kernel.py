"""The inner loops of the search compiled from ``kernel.c``, where there was a compiler when the package was built.

Each says what a function of NumPy says, faster: nothing needs them, and ``tests/scan/test_compiled.py`` holds both to
the same results. They allocate nothing themselves, and other threads run meanwhile.
"""

import ctypes
import pkgutil
import zlib
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from payproof.scan.brands import UNCHECKED, known_lengths, known_starts
from payproof.scan.characters import base64_values

__all__ = ["Layout", "Loops", "loops", "unusable"]

_INTEGER, _POINTER = ctypes.c_int64, ctypes.c_void_p
_LIBRARY = "_kernel.abi3.so"  # as build_kernel.py names it
_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS = b"0123456789"

#: The kinds of bytes that the loops tell apart, one bit each, in the order of their names in ``kernel.c``.
_KINDS = (
    _DIGITS,
    _LETTERS,
    b" \t\r\n./_+-\xc2\xa0\xe2\x80\xaf\x93\x94",  # in separators of groups
    b"\\%=\x1b",  # in escapes
    b" \t\n\r\f\v\"'`\\([{<",  # before a value
    b" \t\n\r\f\v\"'`\\)",  # behind a name
    _LETTERS + _DIGITS + b"_.-[]%#$@",  # in a name
    b"\r\n\\%&#;",  # in breaks between lines, escaped ones too
    b" \t\r\n\f\v|,;:/=_-",  # before an expiry date
)

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]


class Layout(ctypes.Structure):
    """A program and its memory, as ``kernel.c`` takes them."""

    _fields_ = (
        *((name, _INTEGER) for name in ("lead", "advance", "row", "steps", "outputs")),
        *((name, _POINTER) for name in ("code", "sources", "work", "told", "flags")),
        *((name, _INTEGER) for name in ("stride", "parts")),
    )


class _KnownTables(ctypes.Structure):
    _fields_ = (
        *((name, _POINTER) for name in ("starts", "coarse", "lengths", "kinds", "values")),
        ("unchecked", ctypes.c_uint32),
    )


class Loops:
    """The loops of a library. All places are offsets into data with a guard's length of other bytes around them."""

    def __init__(self, library: ctypes.CDLL) -> None:
        kinds = np.zeros(256, np.uint16)
        for bit, members in enumerate(_KINDS):
            kinds[list(members)] |= 1 << bit
        starts = known_starts()
        coarse = np.bitwise_or.reduce(starts.reshape(1000, -1), axis=1)
        self._tables = starts, coarse, known_lengths(), kinds, base64_values()
        self._known = _KnownTables(*(table.ctypes.data for table in self._tables), int(UNCHECKED))
        known = ctypes.addressof(self._known)

        def bind(name: str, result: Any, count: int) -> Any:
            function = getattr(library, f"payproof_{name}")
            function.argtypes, function.restype = (_POINTER,) * count, result
            return function

        self.run = bind("run", None, 5)
        self.places = bind("places", None, 5)
        self._at = known
        self._numbers = bind("numbers", _INTEGER, 8)
        self._groups = bind("groups", _INTEGER, 5)
        self._fields = bind("fields", _INTEGER, 6)
        self._base64 = bind("base64", _INTEGER, 6)
        self._joined = bind("joined", None, 6)
        self._beside = bind("beside", None, 6)
        self._names = bind("names", None, 6)

    def numbers(
        self, data: Bytes, places: Places
    ) -> tuple[Places, Places, npt.NDArray[np.uint32], npt.NDArray[np.bool_]]:
        """Return the numbers without separators that begin at some places: starts, ends, brands, validity."""
        count = len(places)
        starts, ends = np.empty(count, np.int64), np.empty(count, np.int64)
        brands, valid = np.empty(count, np.uint32), np.empty(count, np.bool_)
        made = [one.ctypes.data for one in (starts, ends, brands, valid)]
        found = self._numbers(self._at, data.ctypes.data, places.ctypes.data, count, *made)
        return starts[:found], ends[:found], brands[:found], valid[:found]

    def groups(self, data: Bytes, places: Places) -> Places:
        """Return those of some places at which digits in groups could be a number."""
        chosen = np.empty(len(places), np.int64)
        found = self._groups(self._at, data.ctypes.data, places.ctypes.data, len(places), chosen.ctypes.data)
        return chosen[:found]

    def fields(self, data: Bytes, places: Places, limit: int) -> Places:
        """Return those of some places from which on the digits of fields could be a number, as far as a limit."""
        chosen = np.empty(len(places), np.int64)
        pointers = self._at, data.ctypes.data, places.ctypes.data, len(places), limit, chosen.ctypes.data
        return chosen[: self._fields(*pointers)]

    def base64(self, data: Bytes, places: Places, kind: int) -> Places:
        """Return those of some places at which base64 of a kind stands, by its number in ``kernel.c``."""
        chosen = np.empty(len(places), np.int64)
        found = self._base64(self._at, data.ctypes.data, places.ctypes.data, len(places), kind, chosen.ctypes.data)
        return chosen[:found]

    def find_joined(self, data: Bytes, starts: Places, ends: Places) -> npt.NDArray[np.bool_]:
        """Return which values have a letter or a digit beside them that is certainly no escape's."""
        joined = np.empty(len(starts), np.bool_)
        made = joined.ctypes.data
        self._joined(self._at, data.ctypes.data, starts.ctypes.data, ends.ctypes.data, len(starts), made)
        return joined

    def beside(self, data: Bytes, starts: Places, ends: Places) -> npt.NDArray[np.bool_]:
        """Return beside which values there may be a card's other data."""
        beside = np.empty(len(starts), np.bool_)
        made = beside.ctypes.data
        self._beside(self._at, data.ctypes.data, starts.ctypes.data, ends.ctypes.data, len(starts), made)
        return beside

    def names(self, data: Bytes, starts: Places) -> tuple[Places, Places]:
        """Return from where to where the names of values stand, or -1 where it takes a closer look to see that."""
        first, end = np.empty(len(starts), np.int64), np.empty(len(starts), np.int64)
        self._names(self._at, data.ctypes.data, starts.ctypes.data, len(starts), first.ctypes.data, end.ctypes.data)
        return first, end


@cache
def loops() -> Loops | None:
    """Return the compiled loops, or None where they were not built or cannot be used."""
    loaded = _load_library()
    return loaded if isinstance(loaded, Loops) else None


def unusable() -> str:
    """Return why compiled loops that are there cannot be used, in one line, or an empty text."""
    loaded = _load_library()
    return loaded if isinstance(loaded, str) else ""


@cache
def _load_library() -> Loops | str:
    """Return the loops, why they cannot be used, or an empty text where there are none."""
    found = find_spec("payproof.scan._kernel")
    if found is None or found.origin is None:
        return ""
    if not _is_whole(_read_data(_LIBRARY)):
        return "the compiled search is damaged"
    try:
        library = ctypes.CDLL(found.origin)
        library.payproof_source.restype = _INTEGER
        source = library.payproof_source()
    except (OSError, AttributeError):
        return "the compiled search cannot be loaded here"
    if source != zlib.crc32(_read_data("kernel.c") + _read_data("kernel_run.h")):
        return "the compiled search was built from another version of its source"
    return Loops(library)


def _is_whole(library: bytes) -> bool:
    """Whether a library ends with its own checksum, as it was built: loading one that was cut ends the process."""
    return library[-8:] == b"%08x" % zlib.crc32(library[:-8])


def _read_data(name: str) -> bytes:
    return pkgutil.get_data("payproof.scan", name) or b""
