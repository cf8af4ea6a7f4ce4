"""The small service's purge of the database that SMALL_DATABASE names, as of now or of the time that it is given."""

import os
import sys
import time
from datetime import UTC, datetime

from sqlalchemy import bindparam, create_engine, text

DAY = 24 * 3600

if __name__ == "__main__":
    now = int(sys.argv[1]) if sys.argv[1:] else int(time.time())
    engine = create_engine(os.environ["SMALL_DATABASE"])
    closed = text("DELETE FROM notes WHERE written < :due AND open = :open").bindparams(bindparam("open", value=False))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM events WHERE created < :due"), {"due": now - 90 * DAY})
        connection.execute(text("DELETE FROM arrivals WHERE at < :due"), {"due": now - 30 * DAY})
        connection.execute(closed, {"due": datetime.fromtimestamp(now - 7 * DAY, UTC).replace(tzinfo=None)})
