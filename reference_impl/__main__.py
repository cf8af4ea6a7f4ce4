"""Commands of the service, configured by `BILLING_*` variables: `python -m reference_impl [COMMAND]`."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from reference_impl import maintenance, server
from reference_impl.app import create_app
from reference_impl.commands import operations
from reference_impl.database import schema
from reference_impl.database.engine import open_database
from reference_impl.services import logging
from reference_impl.services.audit import Action, AuditLog, Record, Result
from reference_impl.services.chain import Mark
from reference_impl.services.operations import Status
from reference_impl.services.stripe.breaker import Breaker
from reference_impl.services.stripe.calls import Caller
from reference_impl.services.stripe.connection import Connection
from reference_impl.services.stripe.live import LiveStripe
from reference_impl.services.worker import Worker, working
from reference_impl.settings import MisconfiguredError, Settings, load_settings

__all__ = ["main"]


def main(arguments: Sequence[str] = ()) -> int:
    """Run a command; 78 (EX_CONFIG), with one line on standard error, when the settings are refused."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    logging.configure()
    options = parser().parse_args(arguments)
    try:
        match options.command:
            case "migrate":
                return maintenance.migrate(options.down_to)
            case "verify-audit":
                return maintenance.verify_audit(options.kept)
            case "purge":
                return maintenance.purge(dry_run=options.dry_run)
            case "operations":
                return operations.show(options.status and Status(options.status))
            case _:
                return serve()
    except MisconfiguredError as error:
        print(f"reference_impl: {error}", file=sys.stderr)  # noqa: T201 - for the operator, before any log is trusted
        return os.EX_CONFIG


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
    shown = commands.add_parser("operations", help="list what was asked of Stripe")
    shown.add_argument("--status", choices=list(Status), help="only those")
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
    context = server.tls_context(settings)
    stripe = Connection(
        settings.stripe_api_key, Caller(Breaker()), api_base=settings.stripe_api_base, ca_file=settings.stripe_ca_file
    )
    engine = open_database(settings.database_url.get_secret_value())
    try:
        if settings.migrate:
            maintenance.require_sqlite(engine)
            schema.upgrade(engine)
        schema.require_schema(engine)
        schema.require_narrow_role(engine)
        listener = server.listen(settings)
        with engine.begin() as connection:
            audit = AuditLog(settings.audit_key)
            audit.begin(connection)
            audit.append(connection, started())
        app = create_app(settings, engine, LiveStripe(stripe))
        service = server.create_server(app, context)
        if settings.stop_with_parent:
            server.stop_at_end_of_input(service)
        with working(Worker(app.state.attempts.work_once, settings.worker_seconds)):
            service.run(sockets=[listener])
    finally:
        stripe.close()
        engine.dispose()
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
