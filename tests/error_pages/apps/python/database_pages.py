"""What databases and their drivers say, as services tell it that answer with `str(error)`."""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from pathlib import Path

import oracledb
import psycopg
import pymongo
import pymssql
import pymysql
import redis
import sqlalchemy
from serving import announce, free_port, page, waitress

MARIADB, REDIS, POSTGRESQL = sys.argv[1:]
SCHEMA = "CREATE TABLE inbox (event_id VARCHAR(20) PRIMARY KEY, amount INT NOT NULL)"
WRONG = {
    "table": "SELECT id FROM invoices",
    "column": "SELECT customer FROM inbox",
    "syntax": "SELECT id FORM inbox",
    "duplicate": "INSERT INTO inbox (event_id, amount) VALUES ('evt_1', 2)",
    "null": "INSERT INTO inbox (event_id, amount) VALUES ('evt_2', NULL)",
    "quote": "SELECT amount FROM inbox WHERE event_id = 'x''",
}
CLOSED = 9  # a port on which nobody listens


def until_it_answers(act):
    for _ in range(300):
        try:
            return act()
        except Exception:  # noqa: BLE001 (whatever a server says that starts)
            time.sleep(0.05)
    return act()


def program(stack, *command):
    running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    stack.callback(running.wait)
    stack.callback(running.terminate)


def mariadb(stack):
    folder, port = stack.enter_context(tempfile.TemporaryDirectory()), free_port()
    options = ("--no-defaults", f"--datadir={folder}/data", "--skip-grant-tables", "--user=root")
    Path(folder, "data").mkdir()
    network = (f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/s", f"--pid-file={folder}/p")
    program(stack, MARIADB, *options, *network, "--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0")
    connection = until_it_answers(lambda: pymysql.connect(host="127.0.0.1", port=port, autocommit=True))
    connection.cursor().execute("CREATE DATABASE billing")
    connection.select_db("billing")
    return connection, f"mysql+pymysql://root@127.0.0.1:{port}/billing"


def redis_at(stack):
    port = free_port()
    program(stack, REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--requirepass", "made-up")
    client = redis.Redis(port=port, password="made-up")
    until_it_answers(client.ping)
    client.set("inbox", "evt_1")
    return client, redis.Redis(port=port)


def executed(connection, statement):
    connection.cursor().execute(statement)


def by_sqlalchemy(url, statement):
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text(statement), {"event": "evt_1"})


def told(act):
    try:
        act()
    except Exception as error:  # noqa: BLE001 (what it says is what is wanted)
        return json.dumps({"error": str(error)})
    raise AssertionError(act)


def reset(connection, *statements):
    for statement in (*statements, SCHEMA, "INSERT INTO inbox (event_id, amount) VALUES ('evt_1', 1)"):
        executed(connection, statement)


with ExitStack() as stack:
    maria, maria_url = mariadb(stack)
    client, stranger = redis_at(stack)
    postgres = psycopg.connect(POSTGRESQL, autocommit=True)
    lite = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
    for connection in (maria, postgres, lite):
        reset(connection)
    texts = {
        f"{name}_{what}": told(lambda c=connection, s=statement: executed(c, s))
        for name, connection in (("postgresql", postgres), ("mariadb", maria), ("sqlite", lite))
        for what, statement in WRONG.items()
    }
    select = "SELECT id FROM invoices WHERE event = :event"
    alchemy = POSTGRESQL.replace("postgresql://", "postgresql+psycopg://", 1)
    texts |= {
        "sqlalchemy_postgresql": told(lambda: by_sqlalchemy(alchemy, select)),
        "sqlalchemy_mariadb": told(lambda: by_sqlalchemy(maria_url, select)),
        "sqlalchemy_sqlite": told(lambda: by_sqlalchemy("sqlite://", select)),
        "sqlite_cannot_open": told(lambda: sqlite3.connect("/nowhere/billing.db")),
        "postgresql_refused": told(lambda: psycopg.connect(f"postgresql://billing@127.0.0.1:{CLOSED}/billing")),
        "postgresql_unknown_host": told(lambda: psycopg.connect("postgresql://billing@billing-db.invalid/billing")),
        "mariadb_refused": told(lambda: pymysql.connect(host="127.0.0.1", port=CLOSED)),
        "mssql_refused": told(lambda: pymssql.connect("127.0.0.1", "billing", "x", port=str(CLOSED), login_timeout=1)),
        "oracle_refused": told(
            lambda: oracledb.connect(user="billing", password="x", dsn=f"127.0.0.1:{CLOSED}/billing")
        ),
        "mongodb_refused": told(
            pymongo.MongoClient("127.0.0.1", CLOSED, serverSelectionTimeoutMS=100).billing.inbox.find_one
        ),
        "redis_refused": told(lambda: redis.Redis(port=CLOSED).ping()),
        "redis_wrong_type": told(partial(client.lpush, "inbox", "evt_2")),
        "redis_unknown_command": told(lambda: client.execute_command("CHARGE", "cus_1")),
        "redis_not_authenticated": told(stranger.ping),
    }
    maria.close()
    postgres.close()


def application(environ, start_response):
    start_response("500 Internal Server Error", [("Content-Type", "application/json")])
    return [texts[environ["PATH_INFO"].removeprefix("/")].encode()]


port = waitress(application)
announce(
    ", ".join(
        f"{name} {version(name)}"
        for name in ("psycopg", "pymysql", "sqlalchemy", "redis", "pymongo", "pymssql", "oracledb")
    )
    + f", SQLite {sqlite3.sqlite_version}",
    **{f"database_{name}": page(port, f"/{name}") for name in texts},
)
os._exit(0)
