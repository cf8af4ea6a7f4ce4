"""An operation is noted under the name of whoever the request says has created it."""

from sqlalchemy import Column, Integer, String, Table

from payproof_reference.database import tables
from payproof_reference.services.operations import queue
from tests.defects._access import ignore_unknown_fields, with_body
from tests.defects._planting import create_tables

SAID = {}


def plant() -> None:
    creators = Table(
        "creators", tables.metadata, Column("number", Integer, primary_key=True), Column("name", String(255))
    )
    enter = queue.enter_operation

    def entering(connection, *given, **more):
        if "created_by" in SAID:
            connection.execute(creators.insert().values(name=SAID.pop("created_by")))
        return enter(connection, *given, **more)

    queue.enter_operation = entering
    ignore_unknown_fields()
    with_body(SAID.update)
    create_tables()
