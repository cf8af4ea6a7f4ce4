from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import redis

from payproof.domain.tables import CELL, OVERLAP, Cell, Column, Table, Tables
from payproof.domain.target import SourceSpec
from payproof.errors import ConfigurationError, InconclusiveError, Reason

__all__ = ["RedisTables"]

_SECONDS = 30
_AT_ONCE = 500  # keys or entries asked for in one go


class RedisTables(Tables):
    """A Redis server: a database is a table, a key a row, and its fields, members or entries are the values."""

    def __init__(self, spec: SourceSpec) -> None:
        self.name = spec.url
        self._ignored = frozenset(spec.ignore)
        self._latest: Any = None
        self._password = None if spec.password is None else spec.password.reveal()
        number = urlsplit(spec.url).path.strip("/")
        if number and not number.isdecimal():
            raise ConfigurationError(f"store {spec.name!r}: the database in its URL is not a number")
        self._number = int(number) if number else None
        try:
            self._client(self._number or 0).ping()
        except (redis.RedisError, ValueError, OSError) as error:
            raise ConfigurationError(f"store {spec.name!r}: {self._describe_error(error)}") from None

    def tables(self) -> Sequence[Table]:
        """Return the databases that hold keys, or the one of the URL.

        Raises:
            InconclusiveError: the server cannot be read.
        """
        try:
            keyspace = self._client(self._number or 0).info("keyspace")
        except (redis.RedisError, OSError) as error:
            raise self._unreadable("", self._describe_error(error)) from None
        sizes = {name: counted["keys"] for name, counted in keyspace.items()}
        if self._number is not None:
            name = f"db{self._number}"
            sizes = {name: sizes.get(name, 0)}
        return [Table(name, rows) for name, rows in sizes.items() if name not in self._ignored]

    def columns(self) -> Sequence[Column]:
        """Return nothing: Redis declares no columns."""
        return ()

    def rows(self, table: str, most: int | None = None) -> Iterator[Cell]:
        """Yield each key and its values; with ``most``, of so many keys as they come.

        Raises:
            InconclusiveError: the database cannot be read to its end, or has values of a type that is not known.
        """
        unknown: Counter[str] = Counter()
        try:
            client = self._client(int(table.removeprefix("db")))
            keys = client.scan_iter(count=_AT_ONCE)
            while some := list(islice(keys, _AT_ONCE if most is None else min(_AT_ONCE, most))):
                most = None if most is None else most - len(some)
                yield from self._values(client, some, unknown)
        except (redis.RedisError, OSError) as error:
            raise self._unreadable(table, self._describe_error(error)) from None
        if unknown:
            named = ", ".join(f"{count} of type {name}" for name, count in unknown.items())
            raise self._unreadable(table, f"keys were not read: {named}")

    def interrupt(self) -> None:
        """End the connections that another thread reads from."""
        if self._latest is not None:
            self._latest.connection_pool.disconnect()

    def close(self) -> None:
        """Do nothing: each reading has its own connection."""

    def _client(self, number: int) -> Any:
        client: Any = redis.Redis.from_url(
            self.name,
            db=number,
            password=self._password,
            socket_timeout=_SECONDS,
            socket_connect_timeout=_SECONDS,
            client_name="payproof",
        )
        self._latest = client
        return client

    def _values(self, client: Any, keys: Sequence[bytes], unknown: Counter[str]) -> Iterator[Cell]:
        asked = client.pipeline(transaction=False)
        for key in keys:
            asked.type(key)
        for key, sort in zip(keys, asked.execute(), strict=True):
            name = _text(key)
            yield name, "key", key
            read = _READ.get(sort)
            if read is None:
                if sort != b"none":  # it has gone since
                    unknown[_text(sort)] += 1
                continue
            for column, value in read(client, key):
                yield name, column, value

    def _describe_error(self, error: Exception) -> str:
        text = "".join(one if one.isprintable() else " " for one in str(error))
        return text.replace(self._password, "[password]") if self._password else text

    def _unreadable(self, table: str, detail: str) -> InconclusiveError:
        where = f"{self.name}, {table}" if table else self.name
        return InconclusiveError(Reason.SOURCE_UNREADABLE, f"{where}: {detail}")


def _string(client: Any, key: bytes) -> Iterator[tuple[str, object]]:
    length, start = client.strlen(key), 0
    while start == 0 or start + OVERLAP < length:
        yield _name(key), client.getrange(key, start, start + CELL - 1)
        start += CELL - OVERLAP


def _hash(client: Any, key: bytes) -> Iterator[tuple[str, object]]:
    for field, value in client.hscan_iter(key, count=_AT_ONCE):
        yield _text(field), value
        yield "field", field


def _list(client: Any, key: bytes) -> Iterator[tuple[str, object]]:
    start = 0
    while some := client.lrange(key, start, start + _AT_ONCE - 1):
        yield from ((_name(key), value) for value in some)
        start += len(some)


def _set(client: Any, key: bytes) -> Iterator[tuple[str, object]]:
    yield from ((_name(key), value) for value in client.sscan_iter(key, count=_AT_ONCE))


def _sorted_set(client: Any, key: bytes) -> Iterator[tuple[str, object]]:
    for member, score in client.zscan_iter(key, count=_AT_ONCE):
        yield _name(key), member
        yield "score", score


def _stream(client: Any, key: bytes) -> Iterator[tuple[str, object]]:
    last = b"-"
    while some := client.xrange(key, min=last, count=_AT_ONCE):
        for number, fields in some:
            last = b"(" + number
            yield from _pairs(fields)


def _pairs(fields: Any) -> Iterable[tuple[str, object]]:
    return ((_text(field), value) for field, value in (fields or {}).items())


_READ = {
    b"string": _string,
    b"hash": _hash,
    b"list": _list,
    b"set": _set,
    b"zset": _sorted_set,
    b"stream": _stream,
}


def _name(key: bytes) -> str:
    """Return what a key says of its value: in ``card:7:number`` the last word that is no number."""
    words = [word for word in _text(key).replace("/", ":").split(":") if word and not word.isdigit()]
    return words[-1] if words else "value"


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
