"""The search of MariaDB and Redis, on real servers."""

import os
from urllib.parse import urlsplit

import psycopg
import pymysql
import redis
from sqlalchemy import make_url

from payproof.at_rest import Options, read_specs, search
from payproof.domain.leak import Leak, NotRead
from tests.at_rest.made import PAN
from tests.postgresql import wheel
from tests.servers import mariadb, redis_server


def test_mariadb_is_searched():
    """An integer column, a text and JSON of MariaDB are searched; the password is in nothing that is told."""
    with mariadb() as url:
        parts = urlsplit(url)
        with (
            pymysql.connect(
                host=parts.hostname, port=parts.port, user=parts.username, password=parts.password, autocommit=True
            ) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute("CREATE DATABASE billing")
            cursor.execute("CREATE TABLE billing.t (id INT PRIMARY KEY, num BIGINT, j JSON, cvv VARCHAR(4))")
            cursor.execute(f"""INSERT INTO billing.t VALUES (7, {PAN}, '{{"card":{{"number":"{PAN}"}}}}', '123')""")
        told = list(search(read_specs([f"{url}billing"], os.environ), Options()))
    assert not [one for one in told if isinstance(one, NotRead)]
    leaks = {(one.kind, one.place.field, one.place.key) for one in told if isinstance(one, Leak)}
    assert leaks == {
        ("pan", "num", "id=7"),
        ("pan", "j", "id=7"),
        ("cvc", "cvv", "id=7"),
        ("schema", "cvv", ""),
        ("schema", "j.card.number", ""),
    }
    assert parts.password not in repr(told)


def test_large_objects_are_searched():
    """PostgreSQL's large objects are read in pieces, also across their ends, and one that may not be read is told."""
    with wheel() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE watcher LOGIN PASSWORD 'unused' IN ROLE pg_read_all_data")
            made = b" " * (1024 * 1024 - 8) + f"card_number={PAN} ".encode() + b" " * 1024 * 1024
            (oid,) = connection.execute("SELECT lo_from_bytea(0, %s)", (made,)).fetchone()
        told = list(search(read_specs([url], os.environ), Options()))
        watcher = make_url(url).set(username="watcher")
        refused = list(search(read_specs([watcher.render_as_string(hide_password=False)], os.environ), Options()))
    places = {one.place.key for one in told if isinstance(one, Leak) and one.kind == "pan"}
    assert places == {f"oid={oid} from byte {1024 * 1024 - 4096}"}
    assert not [one for one in told if isinstance(one, NotRead)]
    assert ["permission denied" in one.why for one in refused if isinstance(one, NotRead)] == [True]


def test_redis_is_searched():
    """Strings, hashes and keys of Redis are searched, and a key that is a card number is shown masked."""
    with redis_server() as url:
        parts = urlsplit(url)
        client = redis.Redis(port=parts.port, password=parts.password)
        client.hset("session:1", mapping={"card_number": PAN, "cvc": "123"})
        client.set(f"card {PAN}", "1")
        told = list(search(read_specs([url], os.environ), Options()))
    leaks = {(one.kind, one.place.field) for one in told if isinstance(one, Leak)}
    assert leaks == {("pan", "card_number"), ("cvc", "cvc"), ("pan", "key")}
    assert PAN not in repr(told)
    assert parts.password not in repr(told)
