"""Commands of the service, configured by `BILLING_*` variables: `python -m reference_impl [COMMAND]`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from reference_impl import maintenance, monitoring, server
from reference_impl.app import create_app
from reference_impl.certificate import Certificate
from reference_impl.database import schema
from reference_impl.database.engine import open_database
from reference_impl.services import logging, metrics
from reference_impl.services.audit import Action, AuditLog, Record, Result
from reference_impl.services.chain import Mark
from reference_impl.services.stripe.breaker import Breaker
from reference_impl.services.stripe.calls import Caller
from reference_impl.services.stripe.connection import Connection
from reference_impl.services.stripe.live import LiveStripe
from reference_impl.settings import MisconfiguredError, Settings, load_settings

__all__ = ["main"]


def main(arguments: Sequence[str] = ()) -> int:
    """Run a command; 78 (EX_CONFIG), with one line on standard error, when the settings are refused."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    logging.configure()
    options = parser().parse_args(arguments)
    try:
        return run(options)
    except MisconfiguredError as error:
        print(f"reference_impl: {error}", file=sys.stderr)  # noqa: T201 - for the operator, before any log is trusted
        return os.EX_CONFIG


def run(options: argparse.Namespace) -> int:
    """Run the command that was asked for.

    Raises:
        MisconfiguredError: a setting is refused.
    """
    match options.command:
        case "migrate":
            code = maintenance.migrate(options.down_to)
        case "verify-audit":
            code = maintenance.verify_audit(options.kept)
        case "exchange-audit-key":
            code = maintenance.exchange_audit_key()
        case "purge":
            code = maintenance.purge(dry_run=options.dry_run)
        case "inventory":
            code = maintenance.show_inventory()
        case _:
            code = serve()
    return code


def parser() -> argparse.ArgumentParser:
    """Build the parser of the command line."""
    built = argparse.ArgumentParser("python -m reference_impl", description="The reference billing service.")
    commands = built.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="serve until told to stop (the default)")
    migrate = commands.add_parser("migrate", help="bring the schema to the newest revision")
    migrate.add_argument("--down-to", metavar="REVISION", help="take it back instead; what later tables held is lost")
    verify = commands.add_parser("verify-audit", help="check the audit log; 1 when it is broken")
    verify.add_argument("--kept", type=mark, metavar="SEQUENCE:DIGEST", help="what an earlier check printed")
    purge = commands.add_parser("purge", help="remove what has outlived its retention")
    purge.add_argument("--dry-run", action="store_true", help="only count")
    commands.add_parser("exchange-audit-key", help="let the audit log go on under a new key")
    commands.add_parser("inventory", help="list what is stored, why and for how long")
    return built


def mark(text: str) -> Mark:
    """Read a mark as `verify-audit` prints it."""
    sequence, _, digest = text.partition(":")
    return Mark(int(sequence), digest)


def serve() -> int:
    """Serve until told to stop.

    Raises:
        MisconfiguredError: a setting is unsafe, or the database is not as this release needs it.
    """
    settings = load_settings(Settings)
    certificate = Certificate(settings.tls_certificate, settings.tls_private_key)
    audit = AuditLog(settings.audit_key, previous=settings.audit_previous_keys)
    breaker = Breaker()
    with ExitStack() as stack:
        stripe = Connection(
            settings.stripe_api_key,
            Caller(breaker, observe=metrics.stripe_attempt),
            api_base=settings.stripe_api_base,
            ca_file=settings.stripe_ca_file,
        )
        stack.callback(stripe.close)
        engine = open_database(settings.database_url.get_secret_value())
        stack.callback(engine.dispose)
        if settings.migrate:
            maintenance.require_sqlite(engine)
            schema.upgrade(engine)
        schema.require_schema(engine)
        schema.require_narrow_role(engine)
        listener = server.listen(settings.host, settings.port, "BILLING_HOST, BILLING_PORT")
        with engine.begin() as connection:
            audit.begin(connection)
            audit.append(connection, started())
        monitoring.announce(breaker, build=settings.build, schema=schema.HEAD)
        if settings.metrics_port is not None:
            stack.enter_context(monitoring.serve_metrics(settings.metrics_host, settings.metrics_port))
        for job in monitoring.jobs(engine, audit, certificate):
            stack.enter_context(job)
        app = create_app(settings, engine, LiveStripe(stripe))
        service = server.create_server(app, certificate.context, on_hangup=partial(certificate.renew, forced=True))
        if settings.stop_with_parent:
            server.stop_at_end_of_input(service)
        service.run(sockets=[listener])
    return os.EX_OK


def started() -> Record:
    """Build the audit record of a start."""
    return Record(
        event=Action.SERVICE_STARTED,
        actor=maintenance.operator(),
        result=Result.SUCCESS,
        origin="command line",
        object_id=f"schema {schema.HEAD}",
    )


def stop(_number: int, _frame: object) -> None:
    """End the process as asked: uvicorn raises the signal again, and the default would be a death by signal."""
    raise SystemExit(os.EX_OK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
