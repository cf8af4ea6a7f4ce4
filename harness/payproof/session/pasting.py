"""Writes the lines of a target file that would let more of it be judged: pure, and fit for the target at hand.

Each block can be pasted as it stands, and the file can then be read; what nobody but the target's owner can know stands
in it as an example, and its comment says so.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, get_args
from urllib.parse import urlsplit

import tomlkit

from payproof.domain.operation import KINDS
from payproof.domain.target import StoreFault, Target
from payproof.session.local_sources import LocalStore
from payproof.session.openapi_operations import propose_operations
from payproof.session.project_files import Project
from payproof.session.recognition import Recognised
from payproof.stripe.upstream.hints import write_base

__all__ = ["Block", "Known", "propose_keeps", "write_block"]

_UPSTREAM = "http://127.0.0.1:12111"
#: How an instance is started by hand, where the project's files do not say it.
_STARTS: Mapping[str, tuple[str, ...]] = {
    "flask": ("flask", "--app", "app", "run", "--port", "{port}"),
    "django": ("python", "manage.py", "runserver", "--noreload", "{port}"),
    "fastapi": ("uvicorn", "app:app", "--port", "{port}"),
    "express": ("node", "server.js"),
    "nextjs": ("npx", "next", "start", "--port", "{port}"),
    "hono": ("node", "server.js"),
    "rails": ("bin/rails", "server", "--port", "{port}"),
    "laravel": ("php", "artisan", "serve", "--port={port}"),
    "spring": ("java", "-jar", "build/libs/app.jar", "--server.port={port}"),
    "net_http": ("./service",),
}
#: What a field of a log line is usually called, by what a record of a rejection must tell.
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "cause": ("cause", "reason", "error", "why"),
    "time": ("timestamp", "time", "ts", "@timestamp", "date"),
    "origin": ("origin", "ip", "remote_addr", "client_ip", "remote_ip"),
    "result": ("result", "outcome", "status"),
}
_MATCHED = ("event", "message", "msg", "action")


@dataclass(frozen=True, slots=True)
class Block:
    """Lines to paste, and where: at the end of the file, or below the header of a table, or at the ``top``.

    ``note`` is for whoever pastes them, or who has to write them where nothing is known.
    """

    text: str
    place: str = ""
    note: str = ""


_COMPOSE = ("docker", "compose")


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a target beside its file's meaning.

    ``content`` are the file's own keys. ``document`` is the place of an OpenAPI document that answered, and ``openapi``
    what it says; ``store`` a database and ``log`` a log that show themselves. ``refusal`` are the lines that the log
    has gained by a refused delivery, ``kept`` the tables (``store.table``) that each type of event has changed.
    """

    target: Target
    content: Mapping[str, Any]
    made_of: Recognised = field(default_factory=Recognised)
    project: Project = field(default_factory=Project)
    document: str = ""
    openapi: Mapping[str, Any] = field(default_factory=dict)
    store: LocalStore | None = None
    log: str = ""
    refusal: Sequence[str] = ()
    kept: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def sqlite_file(self) -> str:
        """The file of the target's first SQLite database as its target file says it, or nothing."""
        urls = (str(one.get("url", "")) for one in self.content.get("stores", ()))
        return next((url.removeprefix("sqlite:") for url in urls if url.startswith("sqlite:")), "")


def write_block(want: str, known: Known, needs: Iterable[str] = ()) -> Block | None:
    """Return the lines that a table or key wants, or None where none would help; ``needs`` are those of the cases."""
    if want == "[operations]":
        return _write_operations(known, frozenset(needs))
    return _BLOCKS[want](known) if want in _BLOCKS else None


def propose_keeps(suspects: Iterable[tuple[str, str, str]]) -> Block:
    """Return the lines that keep columns, each a table, a column and what it seems to hold."""
    tables = [
        _write("[[contract.keeps]]", {"table": table, "column": column, "reason": f"why {what} may stand there"})
        for table, column, what in suspects
    ]
    return Block("".join(tables))


def _quote(value: object) -> str:
    if isinstance(value, Mapping):
        table = tomlkit.inline_table()
        table.update(value)
        return table.as_string()
    return str(tomlkit.item(value).as_string())


def _write(header: str, keys: Mapping[str, object], comment: str = "") -> str:
    told = f"   # {comment}" if comment else ""
    return f"{header}{told}\n{_write_lines(keys)}"


def _write_lines(keys: Mapping[str, object]) -> str:
    return "".join(f"{key} = {_quote(value)}\n" for key, value in keys.items())


def _write_key(table: str, key: str, value: object, comment: str = "") -> Callable[[Known], Block]:
    """Return what writes a key into its table, or the table with it, or with no table at the top of the file."""

    def write(known: Known) -> Block:
        line = f"{key} = {_quote(value)}" + (f"   # {comment}" if comment else "") + "\n"
        if not table:
            return Block(line, "top")
        here: Any = known.content
        for part in table.split("."):
            here = here.get(part, {}) if isinstance(here, Mapping) else {}
        return Block(line, table) if here else Block(f"[{table}]\n{line}")

    return write


def _write_stores(known: Known) -> Block:
    keys: dict[str, object] = {"name": "database"}
    if known.store is not None and known.store.variable:
        keys["url_env"] = known.store.variable
    else:
        keys["url"] = known.store.url if known.store is not None else "sqlite:app.db"
    waived = "take its [[waive]] out; " if _is_waived(known, "store") else ""
    return Block(_write("[[stores]]", keys, f"{waived}url_env names a variable, for a URL with a password"))


def _write_logs(known: Known) -> Block:
    waived = "take its [[waive]] out" if _is_waived(known, "log") else ""
    return Block(_write("[[logs]]", {"name": "service", "url": known.log or "file:app.log"}, waived))


def _is_waived(known: Known, channel: str) -> bool:
    return any(one.channel == channel for one in known.target.contract.waivers)


def _write_upstream(known: Known) -> Block:
    sdk = known.target.contract.sdk or known.made_of.sdk
    base = write_base(sdk or "", _UPSTREAM).partition(", or ")[0]
    return Block(_write("[upstream]", {"url": _UPSTREAM}), note=f"there, {base}" if base else "")


def _write_operations(known: Known, needs: frozenset[str]) -> Block:
    """Return the operations that the cases want: by the OpenAPI document, else an example of what charges a card."""
    proposals = {one.name: one for one in propose_operations(known.openapi)}
    wanted: list[str] = []
    for need in sorted(needs):
        names = KINDS.get(need, (need,))
        if not set(names) & {*wanted, *known.target.operations}:
            wanted.append(next((name for name in names if name in proposals), names[0]))
    text = ""
    for name in wanted or ["subscribe"]:
        if name in proposals:
            one = proposals[name]
            table = {**one.table, "request": re.sub(r"\{[^}/]*\}", "ID", str(one.table["request"]))}
            text += _write(f"[operations.{name}]", table, "; ".join(one.missing))
        else:
            table = {"request": f"POST /{name.replace('_', '-')}", "calls": _CALLS.get(name, "POST /v1/customers")}
            text += _write(f"[operations.{name}]", table, "your route that does it, its body, and who may ask (as)")
    return Block(text)


_CALLS = {
    "subscribe": "POST /v1/subscriptions",
    "pay": "POST /v1/payment_intents",
    "change_plan": "POST /v1/subscriptions/*",
    "create_customer": "POST /v1/customers",
    "checkout": "POST /v1/checkout/sessions",
    "refund": "POST /v1/refunds",
}


def _write_promises(known: Known) -> Block:
    """Return what the contract does not say of operations."""
    usual = {"reference": "error.reference", "breaker_after": 5}
    contract = known.content.get("contract", {})
    said = contract.get("operations", {}) if isinstance(contract, Mapping) else {}
    keys = {key: value for key, value in usual.items() if key not in said}
    note = "what it promises of them"
    if said:
        return Block(_write_lines(keys), "contract.operations", note)
    return Block(_write("[contract.operations]", keys), note=note)


def _write_rejection_record(known: Known) -> Block:
    """Return how the log tells of a rejection, by a line that it wrote of one; else as an example."""
    record = next((one for line in reversed(known.refusal) if (one := _read_record(line))), {})
    if known.refusal and not record:
        return Block("", note="it takes lines in JSON, and this log tells of a refusal in another form")
    matched = next((key for key in _MATCHED if isinstance(record.get(key), str)), "")
    keys: dict[str, object] = {"match": {matched: record[matched]} if matched else {"event": "webhook_rejected"}}
    missing = []
    for field_, names in _FIELDS.items():
        keys[field_] = next((name for name in names if name in record), names[0])
        missing += [field_] if record and keys[field_] not in record else []
    told = f"the line of a refusal has no {', '.join(missing)}" if missing else ""
    return Block(_write("[contract.rejection_record]", keys, told))


def _read_record(line: str) -> Mapping[str, Any]:
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _write_openapi(known: Known) -> Block:
    if known.document:
        return Block(f"openapi = {_quote(known.document)}\n", "top")
    return Block("", note='its file, such as openapi = "openapi.yaml" at the top; none answers at the usual places')


def _write_process(known: Known) -> Block:
    if not known.target.is_local:
        return Block("", note="run Payproof on the machine of url: it starts a second instance there")
    framework = known.target.contract.framework or known.made_of.framework
    start = known.project.start or _STARTS.get(framework, ("./start",))
    keys: dict[str, object] = {"start": list(start)}
    if not any("{port}" in word for word in start):
        keys["port_variable"] = "PORT"
    hook = known.content.get("webhook", {})
    keys |= {"secret_variable": hook.get("secret_env", "STRIPE_WEBHOOK_SECRET")}
    keys |= {"api_key_variable": known.content.get("api_key_env", "STRIPE_SECRET_KEY")}
    return Block(_write("[process]", keys, "the command that starts it, and its variables"))


def _write_files(known: Known) -> Block:
    file = known.sqlite_file
    url = f"file:{file}*" if file else "file:/var/lib/billing/tmp"
    return Block(_write("[[files]]", {"name": "files", "url": url}, "a folder, or a pattern"))


def _write_outage(known: Known) -> Block:
    file = known.sqlite_file
    if file:
        hold = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('BEGIN IMMEDIATE'); "
            "print('down', flush=True); sys.stdin.read()"
        )
        return Block(_write("[store_outage]", {"hold": ["python3", "-c", hold, file]}))
    keys = {"down": [*_COMPOSE, "pause", "database"], "up": [*_COMPOSE, "unpause", "database"]}
    return Block(_write("[store_outage]", keys, "your own commands"))


def _write_faults(_known: Known) -> Block:
    keys = {name: {"hold": ["./database-fault", name]} for name in get_args(StoreFault)}
    return Block(_write("[store_faults]", keys, "your own command, which ends each fault when its input ends"))


def _write_retention(known: Known) -> Block:
    text = _write("[retention]", {"purge": ["./purge"]}, "your own command that removes old rows")
    return Block(text + _write_rows(known).text)


def _write_rows(known: Known) -> Block:
    """Return a table that an event has changed; how long its rows are kept is an example."""
    written = [(event, table) for event, tables in known.kept.items() for table in tables]
    recording = frozenset.intersection(*map(frozenset, known.kept.values())) if known.kept else frozenset()
    of_one_type = [(event, table) for event, table in written if table not in recording]
    event, table = next(iter(of_one_type or written), ("charge.succeeded", "database.payments"))
    keys = {"table": table.partition(".")[2], "days": 400, "event": event}
    return Block(_write("[[retention.rows]]", keys, "the days are your own rule"))


def _write_handles(known: Known) -> Block:
    types = list(known.kept) or list(known.target.calibration.handled) or ["invoice.paid"]
    return _write_key("contract", "handles", types)(known)


def _write_https(known: Known) -> Block:
    port = PurePath(urlsplit(known.target.upstream.url if known.target.upstream else _UPSTREAM).netloc).name
    return Block("", note=f'"https://{port}", with a folder, whose ca.pem your system trusts')


def _write_variable(table: str, key: str, variable: str) -> Callable[[Known], Block]:
    return _write_key(table, key, variable, "a variable that holds it")


def _write_entitlements(_: Known) -> Block:
    """Return an entitlement as an example: nobody but the target's owner knows where it stands."""
    keys = {
        "grants": ["checkout.session.completed"],
        "revokes": ["customer.subscription.deleted"],
        "column": "users.plan",
        "where": {"stripe_customer_id": "{customer}"},
        "granted": ["pro"],
    }
    comment = "your column and whose row it is, or request, as and place; and what says that it is given"
    return Block(_write("[entitlements.plan]", keys, comment))


def _write_of_entitlement(table: str, **keys: object) -> Callable[[Known], Block]:
    """Return what writes keys into the first entitlement, or into a table of it."""

    def write(known: Known) -> Block:
        name = next(iter(known.target.entitlements), "")
        if not name:
            return Block("", note="it goes into a table of [entitlements]")
        if table:
            return Block(_write(f"[entitlements.{name}.{table}]", keys, "their row (where), or who asks for it (as)"))
        return Block(_write_lines(keys), f"entitlements.{name}", "your own")

    return write


def _write_principal(name: str, keys: Mapping[str, object], comment: str) -> str:
    variable = f"BILLING_{name.upper()}_TOKEN"
    return _write(f"[principals.{name}]", {"credential_env": variable, **keys}, comment)


def _write_lower(_: Known) -> Block:
    return Block(_write_principal("reader", {"may": []}, "somebody who may do none of the operations, or some of them"))


def _write_other_tenant(known: Known) -> Block:
    """Return somebody of another tenant; who is asked as needs a tenant too, which is told where it lacks."""
    own = next((one.principal for one in known.target.operations.values() if one.principal is not None), None)
    text = _write_principal("neighbour", {"tenant": "b", "may": ["*"]}, "somebody of another tenant")
    lacks = own is None or not own.tenant
    return Block(text, note=f'tenant = "a" in [principals.{own.name if own else "NAME"}] as well' if lacks else "")


def _write_expired(_: Known) -> Block:
    return Block(_write_principal("leaver", {"expired": True}, "a credential that has expired, or was revoked"))


def _write_lockout(_: Known) -> Block:
    who = _write_principal("guessed", {}, "an account of its own, which the run locks out")
    keys = {"as": "guessed", "request": "GET /invoices", "attempts": 10, "seconds": 1800}
    return Block(who + _write("[contract.lockout]", keys, "what its credential lets it ask for"))


_BLOCKS: Mapping[str, Callable[[Known], Block]] = {
    "[[stores]]": _write_stores,
    "[upstream]": _write_upstream,
    "[upstream] url": _write_https,
    "[entitlements]": _write_entitlements,
    "[entitlements.NAME.other]": _write_of_entitlement("other", metadata={"user_id": "18"}),
    "[entitlements.NAME] price": _write_of_entitlement("", price="price_team"),
    "[entitlements.NAME] amount": _write_of_entitlement("", amount=1000),
    "[entitlements.NAME] success": _write_of_entitlement("", success="/checkout/done?session_id={session}"),
    "[principals]": lambda _: Block(
        "", note='[principals.NAME] with credential_env, and as = "NAME" in each operation'
    ),
    "[principals] may": _write_lower,
    "[principals] tenant": _write_other_tenant,
    "[principals] expired": _write_expired,
    "[contract.access]": _write_key("contract.access", "forbidden", [401], "how it refuses who is known, and may not"),
    "[contract.lockout]": _write_lockout,
    "routes": lambda _: Block(
        'routes = ["GET /invoices?customer={customer}"]   # what can be read by a kept id\n', "top"
    ),
    "[contract.operations] reference": _write_promises,
    "[contract.operations] breaker_after": _write_promises,
    "[[logs]]": _write_logs,
    "[contract.rejection_record]": _write_rejection_record,
    "openapi": _write_openapi,
    "[process]": _write_process,
    "[process] secret_variable": _write_key("process", "secret_variable", "STRIPE_WEBHOOK_SECRET"),
    "[process] api_key_variable": _write_key("process", "api_key_variable", "STRIPE_SECRET_KEY"),
    "[process] refuses_live_keys": lambda _: Block(
        "# refuses_live_keys = true   # where it promises that\n", "process"
    ),
    "[[files]]": _write_files,
    "[store_faults]": _write_faults,
    "[store_outage]": _write_outage,
    "[retention]": _write_retention,
    "[[retention.rows]]": _write_rows,
    "[contract] handles": _write_handles,
    "[contract] mirrors": lambda _: Block("", note="mirrors names the columns that hold what Stripe says"),
    "[upstream.prices]": lambda _: Block("", note="two tables [upstream.prices.NAME], each with its amount"),
    "[endpoints]": lambda _: Block("", note="[endpoints.connect] with path and secret_env, where there are more"),
    "[webhook] livemode": lambda _: Block("", note="livemode = true, where it is set up as in live mode"),
    "[webhook] connect": lambda _: Block("", note="connect = true, where it is one"),
    "[webhook] previous_secret_env": _write_variable(
        "webhook", "previous_secret_env", "STRIPE_PREVIOUS_WEBHOOK_SECRET"
    ),
    "[webhook] retired_secret_env": _write_variable("webhook", "retired_secret_env", "STRIPE_RETIRED_WEBHOOK_SECRET"),
    "api_key_env": _write_variable("", "api_key_env", "STRIPE_SECRET_KEY"),
    "publishable_key": _write_key("", "publishable_key", "pk_test_...", "your own"),
}
