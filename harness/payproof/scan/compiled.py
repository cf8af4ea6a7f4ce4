"""Programs of bit streams run by compiled loops, where there are such: the bits are the same as a ``Machine``'s.

A ``Machine`` of NumPy takes each step through all of a text before the next one, so that every step's operands come
from memory. Here all steps are taken on a part of the text that stays in the first cache, then on the next, and a step
has up to three operands.
"""

import ctypes
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from payproof.scan import kernel
from payproof.scan.fusion import find_reaches, fuse_steps
from payproof.scan.kernel import Layout, Loops
from payproof.scan.streams import LEAD, SEGMENTS, TAIL, Bytes, Machine, Node, Places, Program

__all__ = ["Compiled", "Runs", "machine"]

_ADVANCE = 1984  # bytes of each stream that are worked on at a time
_LINE = 64  # bytes of a vector, and of a line of the cache
_ROW = -(-(LEAD + _ADVANCE + TAIL) // _LINE) * _LINE + _LINE

_NOWHERE: Places = np.zeros(0, np.int64)


class Compiled:
    """Runs programs as a ``Machine`` does, compiled."""

    def __init__(self, programs: Sequence[Program], most: int, loops: Loops) -> None:
        self._most = most
        self._bound = [_Bound(program, most, loops) for program in programs]
        self._outputs = {
            name: (bound, number) for bound in self._bound for number, name in enumerate(bound.program.outputs)
        }
        if len(self._outputs) < sum(len(program.outputs) for program in programs):
            raise ValueError("two expressions have the same name")
        self.loaded = 0

    def load(self, text: Bytes) -> None:
        """Take a text, which must not change as long as anything is asked; what was known of the last one is gone."""
        if len(text) > self._most:
            raise ValueError(f"a text of {len(text)} bytes, of at most {self._most}")
        self._text = text
        for bound in self._bound:
            bound.ran = False
        self.loaded += 1

    def places(self, name: str) -> Places:
        """Return of which bytes of the text an expression is true."""
        bound, number = self._outputs[name]
        return bound.places(number, self._text)


#: What runs programs on a text.
Runs = Machine | Compiled


def machine(programs: Sequence[Program], most: int) -> Runs:
    """Return what runs programs on texts of up to so many bytes the fastest way that there is here."""
    loops = kernel.loops()
    return Machine(programs, most) if loops is None else Compiled(programs, most, loops)


class _Bound:
    """A program bound to memory, for texts of up to so many bytes."""

    def __init__(self, program: Program, most: int, loops: Loops) -> None:
        self.program = program
        self._loops = loops
        self.ran = False
        most_share = _divide_segments(most)
        parts = -(-most_share // _ADVANCE)
        stride = parts * _ADVANCE + _LINE
        count = len(program.outputs)
        self._counts = np.zeros((count, SEGMENTS), np.int64)
        self._code, self._sources, size = _assemble(program)
        self._work, self._told = _allocate_aligned(size), np.zeros(count * stride, np.uint8)
        self._flags = np.zeros(count * parts, np.uint64)
        self._header = Layout(
            *(LEAD, _ADVANCE, _ROW, len(self._code), count),
            *(one.ctypes.data for one in (self._code, self._sources, self._work, self._told, self._flags)),
            *(stride, parts),
        )
        self._at, self._counts_at = ctypes.addressof(self._header), self._counts.ctypes.data
        self._found: Places = np.empty(0, np.int64)  # kept, as a new one would be other memory each time

    def places(self, number: int, text: Bytes) -> Places:
        share = _divide_segments(len(text))
        if not self.ran:
            self._loops.run(self._at, text.ctypes.data, len(text), share, self._counts_at)
            self._sizes = self._counts.sum(axis=1).tolist()
            self.ran = True
        size = self._sizes[number]
        if not size:
            return _NOWHERE
        if size > len(self._found):
            self._found = np.empty(2 * size, np.int64)
            self._found_at = self._found.ctypes.data
        self._loops.places(self._at, number, share, self._counts_at, self._found_at)
        found = self._found[:size]
        # Beyond the text there is what stands for its bytes.
        return found.copy() if found[-1] < len(text) else found[: np.searchsorted(found, len(text))].copy()


def _divide_segments(length: int) -> int:
    """Return how many bytes of a text are in each segment."""
    return -(-length // (SEGMENTS * 8)) * 8


def _allocate_aligned(size: int) -> Bytes:
    memory = np.zeros(size + _LINE, np.uint8)
    return memory[-memory.ctypes.data % _LINE :][:size]


def _assemble(program: Program) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], int]:
    """Return the steps, where each output stands in the working memory, and how much of that is needed."""
    functions = fuse_steps(program)
    # Each begins at a line, so that operands which are taken at the same place are aligned, too.
    needed = {node: (back // _LINE * _LINE, ahead) for node, (back, ahead) in find_reaches(program, functions).items()}
    last = {operand: node for node, function in functions.items() for operand, _ in function.operands}
    kept = {node for node, _ in program.outputs.values()}
    # A register begins with the first place of a node that is needed, so that what is written is aligned.
    vectors = {node: -(-(_ADVANCE + ahead - back) // _LINE) for node, (back, ahead) in needed.items()}
    room = (max(vectors.values(), default=0) + 1) * _LINE
    first: dict[Node, int] = {}
    free: list[int] = []
    size = SEGMENTS * _ROW

    def place(node: Node, later: int) -> int:
        if not node.operands:
            return int(node.operation) * _ROW + LEAD + later
        return first[node] + later - needed[node][0]

    code: list[tuple[int, ...]] = []
    for node, function in functions.items():
        if free:
            first[node] = free.pop()
        else:
            first[node] = size
            size += room
        back = needed[node][0]
        operands = [place(one, later + back) for one, later in function.operands]
        operands += [operands[0]] * (3 - len(operands))
        code.append((function.table, vectors[node], *operands, first[node]))
        done = {one for one, _ in function.operands if one.operands and last[one] is node and one not in kept}
        free += (first[one] for one in done)
    sources = [place(node, later) for node, later in program.outputs.values()]
    return np.array(code, np.int64).reshape(-1, 6), np.array(sources, np.int64), size
