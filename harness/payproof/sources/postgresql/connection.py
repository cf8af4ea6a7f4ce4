"""The address of a PostgreSQL database, and its errors as one line without a password."""

from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

__all__ = ["Address", "describe_error"]

_CONNECT_SECONDS = 10
_OLDEST = 13


@dataclass(frozen=True, slots=True)
class Address:
    """A URL without its password, and the password; libpq's own ways to find a password work as well."""

    url: str
    password: str | None = field(repr=False)

    def conninfo(self) -> str:
        """Return what libpq needs to connect; the password is in it.

        Raises:
            psycopg.Error: libpq does not take the URL.
        """
        if not self.url.startswith(("postgresql://", "postgres://")):
            raise psycopg.ProgrammingError("not the URL of a PostgreSQL server")
        given = conninfo_to_dict(self.url)
        if not all(port.isdecimal() for port in str(given.get("port", "")).split(",") if port):
            # Of a URL with a password but without @ it is the password.
            raise psycopg.ProgrammingError("the port in its URL is not a number")
        usual: dict[str, str | int | None] = {"connect_timeout": _CONNECT_SECONDS, "application_name": "payproof"}
        # Whatever the encoding of the database is, what comes is searched as UTF-8.
        return make_conninfo("", **{**usual, **given, "password": self.password, "client_encoding": "utf8"})

    def try_connection(self) -> None:
        """Connect once.

        Raises:
            psycopg.Error: it cannot be done, or the server is too old.
        """
        with psycopg.connect(self.conninfo()) as connection:
            if connection.info.server_version < _OLDEST * 10_000:
                raise psycopg.NotSupportedError(f"PostgreSQL {_OLDEST} or later is needed")


def describe_error(error: psycopg.Error, password: str | None) -> str:
    """Return what is wrong as one printable line."""
    text = " ".join((error.diag.message_primary or str(error)).split())
    text = "".join(character if character.isprintable() else "?" for character in text)
    return text.replace(password, "[password]") if password else text
