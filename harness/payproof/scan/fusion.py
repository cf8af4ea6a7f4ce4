"""Steps of up to three operands: what a ``Program`` computes, in fewer steps than its operations of two."""

from collections.abc import Mapping
from dataclasses import dataclass

from payproof.scan.streams import Node, Program

__all__ = ["Function", "find_reaches", "fuse_steps"]

_MOST = 3  # operands
_OPERANDS = (0b11110000, 0b11001100, 0b10101010)  # the tables of the operands themselves
_ALL = 0b11111111

_Leaf = tuple[Node, int]


@dataclass(frozen=True, slots=True)
class Function:
    """A Boolean function of up to three streams, each taken so many places later.

    Bit ``4 a + 2 b + c`` of ``table`` is its value where the streams' bits are ``a``, ``b`` and ``c``.
    """

    operands: tuple[_Leaf, ...]
    table: int


def fuse_steps(program: Program) -> dict[Node, Function]:
    """Return what is to be computed, in order: each step with as many others in it as three operands allow."""
    outputs = {node for node, _ in program.outputs.values()}
    users: dict[Node, int] = {}
    for node in program.steps:
        for operand in {one for one, _ in node.operands}:
            users[operand] = users.get(operand, 0) + 1
    operands: dict[Node, tuple[_Leaf, ...]] = {}
    for node in program.steps:
        chosen = dict.fromkeys(node.operands)
        # What nothing else needs goes in where it fits, the smaller first; what only says "not" always does.
        for leaf in sorted(chosen, key=lambda one: len(operands.get(one[0], ()))):
            one, later = leaf
            if one not in operands or one in outputs or (users[one] > 1 and one.operation != "not"):
                continue
            merged = dict.fromkeys(other for other in chosen if other != leaf)
            merged.update(dict.fromkeys((inner, by + later) for inner, by in operands[one]))
            if len(merged) <= _MOST:
                chosen = merged
        operands[node] = tuple(chosen)
    needed = set(outputs)
    for node in reversed(program.steps):
        if node in needed:
            needed |= {one for one, _ in operands[node]}
    return {
        node: Function(operands[node], _table(node, 0, {leaf: number for number, leaf in enumerate(operands[node])}))
        for node in program.steps
        if node in needed
    }


def _table(node: Node, later: int, leaves: Mapping[_Leaf, int]) -> int:
    """Return the values of a node so many places later as a table over the leaves."""
    if (node, later) in leaves:
        return _OPERANDS[leaves[node, later]]
    values = [_table(one, later + by, leaves) for one, by in node.operands]
    if node.operation == "not":
        return values[0] ^ _ALL
    if node.operation == "and":
        return values[0] & values[-1]
    return values[0] | values[-1] if node.operation == "or" else values[0] ^ values[-1]


def find_reaches(program: Program, functions: Mapping[Node, Function]) -> dict[Node, tuple[int, int]]:
    """Return from how far back to how far ahead each node is needed, beside the places that are asked for."""
    result: dict[Node, tuple[int, int]] = {}

    def need(node: Node, back: int, ahead: int) -> None:
        known = result.get(node, (back, ahead))
        result[node] = min(known[0], back), max(known[1], ahead)

    for node, later in program.outputs.values():
        need(node, later, later)
    for node in reversed(list(functions)):
        back, ahead = result[node]
        for one, later in functions[node].operands:
            need(one, back + later, ahead + later)
    return result
