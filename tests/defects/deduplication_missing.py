"""The inbox has a row number as its primary key, so that a repeated event is taken in again."""

from sqlalchemy import Column, Integer, Table

from payproof_reference.database import tables
from payproof_reference.services.events import inbox
from tests.defects._planting import create_tables


def plant() -> None:
    columns = (Column(column.name, column.type) for column in tables.inbox.columns)
    inbox.inbox = Table("received_events", tables.metadata, Column("number", Integer, primary_key=True), *columns)
    create_tables()
