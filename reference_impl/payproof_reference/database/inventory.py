"""The inventory of the database as a document: each column with its reason, each table with its retention."""

from sqlalchemy import Table

from payproof_reference.database.tables import TableRetention, metadata

__all__ = ["write_inventory"]

HEAD = """# What is stored, why, and for how long

Written by `python -m payproof_reference inventory` from
`reference_impl/payproof_reference/database/tables.py`; a test holds the two together.
There is no column for card data, names, addresses, free text or the payload of an event (PCI DSS 3.2.1, 3.3.1, 3.4.1):
the kinds of columns below are all that there are, and no number column takes a number as long as a card's.

What is due is counted by `python -m payproof_reference purge --dry-run` and removed by
`python -m payproof_reference purge`, which enters each batch in the audit log. Run it daily, as the
role that owns the tables.
"""


def write_inventory() -> str:
    """Write the whole inventory as Markdown."""
    tables = sorted(metadata.tables.values(), key=lambda table: table.name)
    summary = ["| table | kept | why |", "| --- | --- | --- |", *map(write_summary_line, tables)]
    return "\n".join([HEAD, *summary, "", *(line for table in tables for line in write_section(table))]).rstrip() + "\n"


def write_summary_line(table: Table) -> str:
    """Write a table's line of the summary."""
    retention: TableRetention = table.info["retention"]
    return f"| `{table.name}` | {describe_retention(retention)} | {retention.reason} |"


def describe_retention(retention: TableRetention) -> str:
    """Write how long a row is kept."""
    if retention.days is None:
        return "always"
    limit = f"{retention.days} day{'s' * (retention.days != 1)} after `{retention.age}`"
    if retention.ended is None:
        return limit
    column, values = retention.ended
    return f"{limit}, once `{column}` is {' or '.join(str(value).lower() for value in values)}"


def write_section(table: Table) -> list[str]:
    """Write a table's section."""
    rows = (f"| `{column.name}` | {column.info['kind']} | {column.info['reason']} |" for column in table.columns)
    return [f"## {table.name}", "", "| column | kind | why |", "| --- | --- | --- |", *rows, ""]
