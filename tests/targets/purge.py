"""The small service's purge: removes events that are older than 90 days from the database that SMALL_DATABASE names."""

import os
import time

from sqlalchemy import create_engine, text

if __name__ == "__main__":
    engine = create_engine(os.environ["SMALL_DATABASE"])
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM events WHERE created < :due"), {"due": int(time.time()) - 90 * 24 * 3600})
