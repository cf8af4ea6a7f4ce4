"""Parallel bit streams: what is true of each byte of a text, one bit a byte, computed for all bytes at once.

NumPy has no table look-up that is as fast as its arithmetic. So a text is turned round once: eight streams hold one bit
of every byte each (as in Parabix, Cameron et al., 2008), and any class of characters is a few Boolean operations on
streams an eighth as long as the text. The text is laid out in eight segments, one to each bit of a stream's bytes, so
that "so many places later" is a slice and costs nothing; the segments overlap, so that no slice lacks what it needs.

``Bits`` are written as expressions, once. A ``Program`` finds their equal parts and says in which order and registers
they are computed; a ``Machine`` holds the registers for texts up to a size and allocates nothing while it runs.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["LEAD", "SEGMENTS", "TAIL", "Bits", "Machine", "Node", "Places", "Program", "plane"]

#: In how many segments a text is laid out.
SEGMENTS = 8
#: How far an expression may look back and ahead.
LEAD, TAIL = 64, 192
_PAD = 256  # bytes around a register, for the slices
_LINE = 64  # bytes
_NEUTRAL = 0x7F  # what stands for bytes beyond the text

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]  # offsets into a text, ascending
_Code = list[tuple[np.ufunc, tuple[Any, ...]]]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An operation on other nodes' streams, each taken so many places later; a plane has none."""

    operation: str
    operands: tuple[tuple["Node", int], ...] = ()


_known: dict[tuple[Any, ...], Node] = {}


def _node(operation: str, *operands: tuple[Node, int]) -> Node:
    return _known.setdefault((operation, *operands), Node(operation, operands))


@dataclass(frozen=True, slots=True)
class Bits:
    """An expression: what is true of each byte."""

    node: Node
    later: int = 0

    def ahead(self, count: int) -> "Bits":
        """Return what this says of the byte so many places later."""
        return Bits(self.node, self.later + count)

    def behind(self, count: int) -> "Bits":
        """Return what this says of the byte so many places earlier."""
        return self.ahead(-count)

    def __and__(self, other: "Bits") -> "Bits":
        return self._with("and", other)

    def __or__(self, other: "Bits") -> "Bits":
        return self._with("or", other)

    def __xor__(self, other: "Bits") -> "Bits":
        return self._with("xor", other)

    def __invert__(self) -> "Bits":
        return Bits(_node("not", (self.node, 0)), self.later)

    def _with(self, operation: str, other: "Bits") -> "Bits":
        base = min(self.later, other.later)
        operands = {(one.node, one.later - base): None for one in (self, other)}
        if len(operands) == 1:
            return self if operation != "xor" else self & ~self
        return Bits(_node(operation, *sorted(operands, key=lambda one: (id(one[0]), one[1]))), base)

    def within(self, count: int) -> "Bits":
        """Return where this is true of one of so many bytes, from this one on."""
        known, result = 1, self
        while known < count:
            step = min(known, count - known)
            result |= result.ahead(step)
            known += step
        return result

    def run(self, length: int) -> "Bits":
        """Return where so many bytes in a row, from this one on, are of this kind."""
        known, result = 1, self
        while known < length:
            step = min(known, length - known)
            result &= result.ahead(step)
            known += step
        return result

    def every(self, stride: int, count: int) -> "Bits":
        """Return where so many bytes, from this one on, each ``stride`` after the one before, are of this kind."""
        known, result = 1, self
        while known < count:
            step = min(known, count - known)
            result &= result.ahead(step * stride)
            known += step
        return result


def plane(number: int) -> Bits:
    """Return one of the eight bits of each byte, 0 the lowest."""
    return Bits(_node(str(number)))


class Program:
    """Named expressions in the order in which they are computed, with the register of each.

    Raises:
        ValueError: an expression looks further back or ahead than the streams overlap.
    """

    def __init__(self, outputs: Mapping[str, Bits]) -> None:
        self.outputs = {name: (bits.node, bits.later) for name, bits in outputs.items()}
        order = self._ordered()
        self._check_reach(order)
        last = {operand: index for index, node in enumerate(order) for operand, _ in node.operands}
        kept = {node for node, _ in self.outputs.values()}
        self.registers: dict[Node, int] = {}
        self.steps: list[Node] = []
        free: list[int] = []
        self.size = 0
        for index, node in enumerate(order):
            if not node.operands:
                continue
            self.steps.append(node)
            done = {one for one, _ in node.operands if one.operands and last[one] == index and one not in kept}
            # A register may be written while it is read only where both are taken at the same place.
            unmoved = [one for one in done if all(later == 0 for other, later in node.operands if other is one)]
            if unmoved:
                self.registers[node] = self.registers[unmoved[0]]
                done.discard(unmoved[0])
            elif free:
                self.registers[node] = free.pop()
            else:
                self.registers[node] = self.size
                self.size += 1
            free.extend(self.registers[one] for one in done)

    def _ordered(self) -> list[Node]:
        order: dict[Node, None] = {}

        def visit(node: Node) -> None:
            if node not in order:
                for operand, _ in node.operands:
                    visit(operand)
                order[node] = None

        for node, _ in self.outputs.values():
            visit(node)
        return list(order)

    def _check_reach(self, order: list[Node]) -> None:
        back: dict[Node, int] = {}
        front: dict[Node, int] = {}
        for node in order:
            back[node] = min((back[one] + later for one, later in node.operands), default=0)
            front[node] = max((front[one] + later for one, later in node.operands), default=0)
        for name, (node, later) in self.outputs.items():
            if back[node] + later < -LEAD or front[node] + later > TAIL:
                raise ValueError(f"{name} looks too far")


class Machine:
    """Programs bound to registers for texts of up to so many bytes; each runs when it is first asked about a text."""

    def __init__(self, programs: Sequence[Program], most: int) -> None:
        self._share = -(-most // (SEGMENTS * 8)) * 8  # bytes of the text in each segment
        self._width = LEAD + self._share + TAIL
        planes = _registers(SEGMENTS + 1, self._width)
        self._segments = planes[:SEGMENTS]
        self._turn = _in_turn(_transposition(planes))
        self._outputs: dict[str, tuple[int, Bytes]] = {}
        self._runs: list[Callable[[], None]] = []
        for program in programs:
            self._bind(program)
        self._ran: set[int] = set()
        self.loaded = 0

    def _bind(self, program: Program) -> None:
        registers = _registers(program.size, self._width)

        def slot(node: Node, later: int = 0) -> Bytes:
            row = registers[program.registers[node]] if node.operands else self._segments[int(node.operation)]
            return row[_PAD + later : _PAD + later + self._width]

        self._tell({name: slot(*one)[LEAD:][: self._share] for name, one in program.outputs.items()})
        self._runs.append(
            _in_turn(
                [
                    (_FUNCTIONS[node.operation], (*(slot(*one) for one in node.operands), slot(node)))
                    for node in program.steps
                ]
            )
        )

    def _tell(self, streams: Mapping[str, Bytes]) -> None:
        for name, stream in streams.items():
            if name in self._outputs:
                raise ValueError(f"two expressions are named {name!r}")
            self._outputs[name] = len(self._runs), stream

    def load(self, text: Bytes) -> None:
        """Take a text; what was known of the one before is gone."""
        self._length = len(text)
        for segment, register in enumerate(self._segments):
            first = segment * self._share - LEAD
            skipped = max(0, -first)
            part = text[max(0, first) : max(0, first + self._width)]
            register[_PAD : _PAD + skipped] = _NEUTRAL
            register[_PAD + skipped : _PAD + skipped + len(part)] = part
            register[_PAD + skipped + len(part) : _PAD + self._width] = _NEUTRAL
        self._turn()
        self._ran.clear()
        self.loaded += 1

    def places(self, name: str) -> Places:
        """Return of which bytes of the text an expression is true."""
        number, stream = self._outputs[name]
        if number not in self._ran:
            self._runs[number]()
            self._ran.add(number)
        words = np.ascontiguousarray(stream).view(np.uint64)
        where = (words != 0).nonzero()[0]
        if not where.size:
            return _NOWHERE
        left = words[where]
        where <<= 6
        found = []
        while where.size:
            found.append(where + np.bitwise_count((left - _ONE) & ~left))  # the lowest true bit of each word
            left &= left - _ONE
            more = (left != 0).nonzero()[0]
            where, left = where[more], left[more]
        bits = np.concatenate(found)
        joined = (bits >> 3) + (bits & 7) * self._share
        joined.sort()
        return joined[: np.searchsorted(joined, self._length)]


_ONE = np.uint64(1)
_NOWHERE: Places = np.zeros(0, np.int64)
#: Bits that are swapped between two rows, for each distance.
_TURNS = {4: 0x0F0F0F0F0F0F0F0F, 2: 0x3333333333333333, 1: 0x5555555555555555}
_FUNCTIONS = {"and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor, "not": np.invert}


def _registers(count: int, width: int, multiple: int = _LINE) -> list[Bytes]:
    """Return so many registers, with room around each for the slices, as long as a multiple of so many bytes."""
    length = -(-(width + 2 * _PAD) // multiple) * multiple
    # Each begins with a line of the cache, and at another place of a page, so that they do not compete for a line.
    memory = np.zeros((count + 1) * (length + _LINE), np.uint8)
    first = -memory.ctypes.data % _LINE
    return [memory[first + number * (length + _LINE) :][:length] for number in range(count)]


def _in_turn(code: _Code) -> Callable[[], None]:
    def run() -> None:
        for function, operands in code:
            function(*operands)

    return run


def _pairs(rows: Sequence[Any]) -> Iterator[tuple[int, Any, Any]]:
    """Return the rows between which bits are swapped to turn eight rows of bytes into eight rows of one bit of each.

    Hacker's Delight, 7-3: each pair with the distance of the bits.
    """
    for distance in _TURNS:
        for row in range(SEGMENTS):
            if not row & distance:
                yield distance, rows[row], rows[row + distance]


def _transposition(rows: Sequence[Bytes]) -> _Code:
    """Return the steps of all swaps; the last row is free for what is between."""
    *words, free = (row[_PAD:-_PAD].view(np.uint64) for row in rows)
    steps: _Code = []
    for distance, low, high in _pairs(words):
        shift, kept = np.uint64(distance), np.uint64(_TURNS[distance])
        steps += [
            (np.right_shift, (low, shift, free)),
            (np.bitwise_xor, (free, high, free)),
            (np.bitwise_and, (free, kept, free)),
            (np.bitwise_xor, (high, free, high)),
            (np.left_shift, (free, shift, free)),
            (np.bitwise_xor, (low, free, low)),
        ]
    return steps
