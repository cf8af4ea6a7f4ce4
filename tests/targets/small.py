"""A billing service of a few lines, on any database that SQLAlchemy knows: right, or with one fault."""

import gzip
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    String,
    Table,
    create_engine,
    insert,
)
from sqlalchemy.exc import IntegrityError

__all__ = ["FAULTS", "SECRET", "Fault", "serving"]

SECRET = "whsec_" + "smallservice" * 2

_TOLERANCE = 300
_ID, _TYPE = re.compile("[A-Za-z0-9_]{1,255}"), re.compile("[a-z0-9_.]{1,100}")
_LATEST = 10**11


@dataclass(frozen=True)
class Fault:
    """A column that should not be, and what an event puts into it; None for no row."""

    scenario: str
    check: str
    column: Callable[[], Column[Any]]
    value: Callable[[dict[str, Any]], Any]


def _number(event: dict[str, Any]) -> str | None:
    return (event["data"]["object"].get("metadata") or {}).get("card_number")


def _last4(event: dict[str, Any]) -> str | None:
    card = (event["data"]["object"].get("payment_method_details") or {}).get("card")
    return card and f"ends in {card['last4']}"


def _made(make: Callable[[str], Any]) -> Callable[[dict[str, Any]], Any]:
    return lambda event: make(number) if (number := _number(event)) else None


FAULTS: Mapping[str, Fault] = {
    "payload_in_json": Fault(
        "canary_in_store", "not_kept", lambda: Column("said", JSON), lambda event: event["data"]["object"]
    ),
    "number_as_integer": Fault("canary_in_store", "not_kept", lambda: Column("seen", BigInteger), _made(int)),
    "number_as_decimal": Fault("canary_in_store", "not_kept", lambda: Column("seen", Numeric(20, 0)), _made(int)),
    "payload_compressed": Fault(
        "canary_in_store",
        "not_kept",
        lambda: Column("packed", LargeBinary(2**20)),
        lambda event: gzip.compress(json.dumps(event).encode()),
    ),
    "number_hashed": Fault(
        "canary_hashed",
        "not_kept",
        lambda: Column("known_by", LargeBinary(20)),
        _made(lambda number: sha1(number.encode()).digest()),
    ),
    "last4_kept": Fault("card_metadata", "not_followed", lambda: Column("shown_as", String(30)), _last4),
    "column_for_numbers": Fault(
        "schema", "no_suspect_columns", lambda: Column("card_number", String(19)), lambda _: None
    ),
    "number_left": Fault(
        "pattern_scan",
        "no_payment_data",
        lambda: Column("sample", JSON),
        lambda _: {"card": {"number": "4242" * 4}},
    ),
    "ends_kept": Fault(
        "truncations",
        "not_followed",
        lambda: Column("ends", JSON),
        _made(lambda number: {"begins": int(number[:6]), "ends": number[-4:]}),
    ),
}


@contextmanager
def serving(database: str, fault: Fault | None = None, *, trusting: bool = False) -> Iterator[str]:
    """Serve on 127.0.0.1 with a database of its own making; yield the base URL.

    A ``trusting`` service takes each signed body for an event, and answers 500 where it is none.
    """
    engine = create_engine(database)
    metadata = MetaData()
    events = Table(
        "events",
        metadata,
        Column("event_id", String(255), primary_key=True),
        Column("type", String(100)),
        Column("object_id", String(255)),
        Column("created", BigInteger),
    )
    arrivals = Table("arrivals", metadata, Column("event_id", String(255), primary_key=True), Column("at", BigInteger))
    # No event makes these.
    Table(
        "notes",
        metadata,
        Column("note_id", String(40), primary_key=True),
        Column("written", DateTime, nullable=False),
        Column("open", Boolean, nullable=False),
    )
    also = None
    if fault is not None:
        own = Column("number", Integer, primary_key=True, autoincrement=True)
        also = Table("also", metadata, own, fault.column())
    metadata.create_all(engine)
    keeping = (engine, events, arrivals, also, fault)
    handler = type("Handler", (_Handler,), {"keeping": keeping, "trusting": trusting})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        metadata.drop_all(engine)
        engine.dispose()


class _Handler(BaseHTTPRequestHandler):
    keeping: tuple[Engine, Table, Table, Table | None, Fault | None]
    trusting = False
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take a delivery."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not _genuine(self.headers.get("Stripe-Signature", ""), body):
            self._answer(401)
            return
        try:
            event = json.loads(body) if self.trusting else _read_event(body)
            if event is not None:
                self._keep(event)
        except Exception:  # noqa: BLE001 (as frameworks do)
            self._answer(500)
            return
        self._answer(400 if event is None else 200)

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _keep(self, event: dict[str, Any]) -> None:
        engine, events, arrivals, also, fault = self.keeping
        row = {"event_id": event["id"], "type": event["type"], "created": event["created"]}
        try:
            with engine.begin() as connection:
                connection.execute(insert(events).values({**row, "object_id": event["data"]["object"].get("id")}))
                connection.execute(insert(arrivals).values(event_id=event["id"], at=int(time.time())))
                if also is not None and fault is not None and (value := fault.value(event)) is not None:
                    connection.execute(insert(also).values({also.columns.keys()[1]: value}))
        except IntegrityError:
            return  # seen before

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def _read_event(body: bytes) -> dict[str, Any] | None:
    """Return a body as an event, as far as it is used here, or None where it is none."""
    try:
        event = json.loads(body)
        known = _ID.fullmatch(event["id"]) and _TYPE.fullmatch(event["type"]) and 0 <= event["created"] < _LATEST
        subject = event["data"]["object"]
        return event if known and (subject.get("id") is None or _ID.fullmatch(subject["id"])) else None
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return None


def _genuine(header: str, body: bytes) -> bool:
    said = dict(element.partition("=")[::2] for element in header.split(","))
    right = hmac.new(SECRET.encode(), said.get("t", "").encode() + b"." + body, "sha256").hexdigest()
    return abs(time.time() - int(said.get("t") or 0)) <= _TOLERANCE and hmac.compare_digest(said.get("v1", ""), right)
