"""Every accepted event is kept compressed."""

import gzip
import json

from sqlalchemy import Column, LargeBinary

from tests.defects._planting import also_store, kept


def plant() -> None:
    table = kept("archive", Column("content", LargeBinary))
    also_store(table, lambda event: {"content": gzip.compress(json.dumps(event).encode())})
