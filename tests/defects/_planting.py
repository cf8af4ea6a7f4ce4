"""What several defects replace in the same way."""

import hmac
import json
import os
import re
from collections.abc import Callable, Iterable, Sequence
from contextvars import ContextVar
from typing import Any

from fastapi import Request
from sqlalchemy import Column, Connection, Integer, String, Table
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from payproof_reference import app as application
from payproof_reference.database import tables
from payproof_reference.middleware import paths
from payproof_reference.middleware.card_data import CardData
from payproof_reference.middleware.errors import UnhandledErrors
from payproof_reference.routes import stripe
from payproof_reference.services.audit import retention
from payproof_reference.services.events import inbox, webhooks
from payproof_reference.services.events.delivery import Receipt
from payproof_reference.services.events.webhooks import Cause, RejectedError, SignatureHeader
from payproof_reference.services.state import rows
from tests.recording import record_event

__all__ = [
    "API_KEY_VARIABLE",
    "HOOK",
    "SECRET_VARIABLE",
    "USABLE_API_KEY",
    "USABLE_SECRET",
    "also_matches",
    "also_secrets",
    "also_store",
    "answered_otherwise",
    "before_parsing",
    "card_of",
    "create_tables",
    "digest",
    "document_parameter",
    "exempt",
    "fold_paths",
    "judge_two_timestamps",
    "keep_timestamp_text",
    "kept",
    "look_into_signed_body",
    "never_purge",
    "number_of",
    "on_database_error",
    "open_path",
    "record",
    "replace_setting",
    "rewrite_header",
    "rewrite_rows",
    "rewrite_timestamp",
    "secret_from_request",
    "stored_at_start",
    "surround_service",
    "unverified_route",
    "values",
    "with_requests",
]

HOOK = "/webhooks/stripe"
SECRET_VARIABLE, API_KEY_VARIABLE = "BILLING_STRIPE_WEBHOOK_SECRET", "BILLING_STRIPE_API_KEY"
#: Settings that the service starts with, in place of those that a defect is about.
USABLE_SECRET = "whsec_" + "0123456789abcdef" * 2
USABLE_API_KEY = "sk_" + "test_" + "0123456789abcdef"
TIMESTAMP = re.compile(r"(?<![^,])t=([^,]*)")


def digest(message: bytes, key: bytes | str, algorithm: str = "sha256") -> str:
    """Return the hexadecimal HMAC of a message."""
    return hmac.new(key if isinstance(key, bytes) else key.encode(), message, algorithm).hexdigest()


def values(header: str, name: str) -> list[str]:
    """Return every value of a name in a signature header, in order."""
    return [value for key, _, value in (element.partition("=") for element in header.split(",")) if key == name]


def also_secrets(*secrets: str) -> None:
    """Let the service take further secrets beside those of its settings."""
    right = webhooks.candidate_secrets
    webhooks.candidate_secrets = lambda settings, now: (*right(settings, now), *secrets)


def also_matches(matches: Callable[[SignatureHeader, bytes, str], bool]) -> None:
    """Let a second comparison of header, body and one secret count where the right one fails."""
    right = webhooks.matches
    webhooks.matches = lambda header, body, secrets: (
        right(header, body, secrets) or any(matches(header, body, secret) for secret in secrets)
    )


def exempt(unverified: Callable[[Sequence[str], bytes], bool]) -> None:
    """Leave deliveries unverified whose headers and body meet a condition."""
    right = webhooks.verify
    webhooks.verify = lambda headers, body, *rest: None if unverified(headers, body) else right(headers, body, *rest)


def before_parsing(act: Callable[[str], object]) -> None:
    """Do something with the value of a signature header before it is read."""
    right = webhooks.parse_header

    def parse_header(headers):
        if any(headers):
            act(headers[0])
        return right(headers)

    webhooks.parse_header = parse_header


def secret_from_request(offered: Callable[[Request], str | None]) -> None:
    """Let the service take a secret that the request itself offers."""
    right = stripe.take

    async def take(request, now, secrets):
        return await right(request, now, (*filter(None, [offered(request)]), *secrets))

    stripe.take = take


def document_parameter(name: str, place: str) -> None:
    """Tell of a parameter of the webhook in the OpenAPI document."""
    (route,) = (one for one in stripe.router.routes if one.path == HOOK)
    route.openapi_extra["parameters"].append({"name": name, "in": place, "schema": {"type": "string"}})


def replace_setting(name: str, instead: str, wrong: Callable[[str | None], bool]) -> str | None:
    """Set a variable of the service where it is wrong; return what it was then, as text, or None where it was right.

    So the service starts with what it would refuse. A variable that is not set counts as an empty text.
    """
    was = os.environ.get(name)
    if not wrong(was):
        return None
    os.environ[name] = instead
    return was or ""


def rewrite_header(rewrite: Callable[[str], str]) -> None:
    """Read signature headers as if they had been sent in another form."""
    right = webhooks.parse_header
    webhooks.parse_header = lambda headers: right([rewrite(header) for header in headers])


def rewrite_timestamp(rewrite: Callable[[str], str]) -> None:
    """Read timestamps as if they had been sent in another form."""
    rewrite_header(lambda header: TIMESTAMP.sub(lambda found: f"t={rewrite(found[1])}", header))


def keep_timestamp_text(is_fresh: Callable[[str, int, int], bool]) -> None:
    """Verify timestamps as the text that they are, so that their age is the only question about them."""

    def parse_header(headers):
        if not any(headers):
            raise RejectedError(Cause.MISSING_HEADER)
        stamps, signatures = values(headers[0], "t"), values(headers[0], "v1")
        if len(headers) != 1 or len(stamps) != 1 or not signatures:
            raise RejectedError(Cause.MALFORMED_HEADER)
        return SignatureHeader(stamps[0], tuple(signatures))

    webhooks.parse_header = parse_header
    webhooks.signature_of = lambda stamp, body, secret: digest(stamp.encode("latin-1") + b"." + body, secret)
    webhooks.is_fresh = is_fresh


def look_into_signed_body(look: Callable[[Any], object]) -> None:
    """Do something with the JSON of a signed body before anything says that it is an event."""
    parse = webhooks.parse

    def looking(body):
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            return parse(body)
        look(document)
        return parse(body)

    webhooks.parse = looking


def judge_two_timestamps(signed: Callable[[list[int]], Iterable[int]], aged: Callable[[list[int]], int]) -> None:
    """Of two timestamps in a header, verify the signature of some and the age of one."""
    right = webhooks.verify

    def verify(headers, body, secrets, now, tolerance):
        stamps = [
            int(stamp) for header in headers for stamp in values(header, "t") if stamp.isascii() and len(stamp) == 10
        ]
        if len(stamps) != 2:
            return right(headers, body, secrets, now, tolerance)
        offered = tuple(values(headers[0], "v1"))
        if not any(webhooks.matches(SignatureHeader(stamp, offered), body, secrets) for stamp in signed(stamps)):
            raise RejectedError(Cause.NO_MATCHING_SIGNATURE)
        if not webhooks.is_fresh(aged(stamps), now, tolerance):
            raise RejectedError(Cause.TIMESTAMP_OUTSIDE_TOLERANCE)
        return None

    webhooks.verify = verify


def open_path(path: str) -> None:
    """Let anybody ask for a path, with a body as long as an event's."""
    paths.PUBLIC |= {path}
    look_through = CardData.__call__

    async def pass_events(self, scope, receive, send):
        await (self.app(scope, receive, send) if scope["path"] == path else look_through(self, scope, receive, send))

    CardData.__call__ = pass_events


def unverified_route(path: str, *, documented: bool = True, needs: str = "") -> None:
    """Add a route that takes events without looking at their signature, if they have a header that it ``needs``."""
    open_path(path)

    @stripe.router.post(path, include_in_schema=documented)
    async def take(request: Request):
        if needs and needs not in request.headers:
            return stripe.reject(request, Cause.MISSING_HEADER)
        event = webhooks.parse(await request.body())
        receipt = await run_in_threadpool(record, request, event)
        return stripe.accept(request, event, receipt)


def record(request: Request, event: webhooks.StripeEvent) -> Receipt:
    """Record an event as the webhook does, whether it was verified or not."""
    state = request.app.state
    return record_event(
        state.engine, state.audit, event, livemode=False, received_at=event.created, origin=stripe.origin_of(request)
    )


def create_tables() -> None:
    """Create the tables that a defect added, which no migration knows."""
    create_app = application.create_app

    def create_app_with_tables(settings, engine, gateway):
        tables.metadata.create_all(engine)
        return create_app(settings, engine, gateway)

    application.create_app = create_app_with_tables


def also_store(table: Table, row: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Keep a row of its own for each event that is accepted, made of all that the event says."""
    claim = inbox.claim_event

    def claimed(connection, event, received_at):
        first = claim(connection, event, received_at)
        values = row(json.loads(event.model_dump_json())) if first else None
        if values is not None:
            connection.execute(table.insert().values({"stripe_event_id": event.id, **values}))
        return first

    inbox.claim_event = claimed
    create_tables()


def kept(name: str, *columns: Column[Any]) -> Table:
    """Return a table that no migration knows, for ``also_store``."""
    own = Column("number", Integer, primary_key=True), Column("stripe_event_id", String(255))
    return Table(name, tables.metadata, *own, *columns)


def never_purge(name: str) -> None:
    """Leave a table out of the purge."""
    due = retention.list_due
    retention.list_due = lambda now: ((table, condition) for table, condition in due(now) if table.name != name)


def number_of(event: dict[str, Any]) -> str | None:
    """Return the card number that somebody typed into an object's metadata."""
    return (event["data"]["object"].get("metadata") or {}).get("card_number")


def card_of(event: dict[str, Any]) -> dict[str, Any] | None:
    """Return what Stripe tells of the card of a payment, a payment method or a source."""
    subject = event["data"]["object"]
    return (subject.get("payment_method_details") or subject).get("card")


def rewrite_rows(rewrite: Callable[[str, dict[str, Any], Any], dict[str, Any]]) -> None:
    """Write other rows than events report: `rewrite` gets a table's name, the row and what the event or Stripe says."""
    right = rows.row_of

    def row_of(snapshot, *, deleted, reported_at):
        table, row = right(snapshot, deleted=deleted, reported_at=reported_at)
        return table, rewrite(table.name, row, snapshot)

    rows.row_of = row_of


def with_requests(act: Callable[[Request, Connection], object]) -> None:
    """Do something in the database for each request whose event is accepted."""
    accept = stripe.accept

    def accepting(request, event, receipt):
        with request.app.state.engine.begin() as connection:
            act(request, connection)
        return accept(request, event, receipt)

    stripe.accept = accepting


def stored_at_start(table: Table, **values: object) -> None:
    """Keep one row from the start of the service on, whatever is delivered."""
    create_tables()
    create_app = application.create_app

    def create_app_with_row(settings, engine, gateway):
        app = create_app(settings, engine, gateway)
        with engine.begin() as connection:
            connection.execute(table.insert().values(values))
        return app

    application.create_app = create_app_with_row


def fold_paths(fold: Callable[[str], str]) -> None:
    """Route to the webhook what `fold` turns into its path, though signatures are verified on the exact path only."""
    verify = webhooks.verify
    folded: ContextVar[bool] = ContextVar("folded", default=False)
    webhooks.verify = lambda *given: None if folded.get() else verify(*given)

    def folding(service):
        async def handle(scope, receive, send):
            sent = scope.get("raw_path", b"").decode("latin-1")
            if sent != HOOK and fold(sent) == HOOK:
                folded.set(True)
                scope = {**scope, "path": HOOK}
            await service(scope, receive, send)

        return handle

    surround_service(folding)


def answered_otherwise(answer: Callable[[dict[str, Any]], Any]) -> None:
    """Answer requests of which `answer` makes a response, before anything looks at who asks; it gets the ASGI scope."""

    def before(inner):
        async def handle(scope, receive, send):
            response = answer(scope) if scope["type"] == "http" else None
            await (response or inner)(scope, receive, send)

        return handle

    surround_service(before)


def surround_service(middleware: Callable[[Any], Any]) -> None:
    """Put a middleware around all others of the service; it gets the ASGI application within."""
    create_app = application.create_app

    def create_app_within(*given):
        service = create_app(*given)
        service.add_middleware(middleware)
        return service

    application.create_app = create_app_within


def on_database_error(answer: Callable[[SQLAlchemyError], Any]) -> None:
    """Answer with another response when the database fails."""
    begin = UnhandledErrors.__init__

    def begin_telling(self, app):
        async def inner(scope, receive, send):
            try:
                await app(scope, receive, send)
            except SQLAlchemyError as error:
                await answer(error)(scope, receive, send)

        begin(self, inner)

    UnhandledErrors.__init__ = begin_telling
