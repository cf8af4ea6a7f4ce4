"""Writes the table of docs/problems.md: ``python -m tests.architecture.problems_document``."""

import re
from pathlib import Path

from payproof.domain.channel import Channel
from payproof.domain.kind import Kind
from payproof.engine.kind_table import KIND_TABLE

__all__ = ["DOCUMENT", "read_table", "write_table"]

DOCUMENT = Path(__file__).parents[2] / "docs" / "problems.md"
_TABLE = re.compile(r"^\| kind \| what .*?\n(?=\n)", re.MULTILINE | re.DOTALL)
_WHERE = {Channel.FILE: "in files", Channel.HTTP: "in answers", Channel.LOG: "in a log", Channel.STORE: "in a store"}


def write_table() -> str:
    """Return the table of all kinds, as the engine knows them."""
    rows = ["| kind | what a report says | usual severity |", "| --- | --- | --- |"]
    for kind in Kind:
        entry = KIND_TABLE[kind]
        told = "as its rule says" if entry.severity is None else str(entry.severity)
        told += "".join(f", {severity} {_WHERE[channel]}" for channel, severity in entry.by_channel.items())
        rows.append(f"| `{kind}` | {entry.title.format('...')} | {told} |")
    return "\n".join(rows) + "\n"


def read_table() -> str:
    """Return the table as the document has it."""
    table = _TABLE.search(DOCUMENT.read_text())
    assert table is not None
    return table[0]


if __name__ == "__main__":
    text = DOCUMENT.read_text()
    DOCUMENT.write_text(text.replace(read_table(), write_table()))
