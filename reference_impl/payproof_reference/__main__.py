"""Commands of the service, configured by `BILLING_*` variables: `python -m payproof_reference [COMMAND]`."""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial

from payproof_reference import monitoring, server
from payproof_reference.app import create_app
from payproof_reference.certificate import Certificate
from payproof_reference.commands import access, maintenance, operations
from payproof_reference.commands.operator import name_operator
from payproof_reference.database import schema
from payproof_reference.database.engine import open_database
from payproof_reference.services.audit.chain import Mark
from payproof_reference.services.audit.log import Action, AuditLog, Record, Result
from payproof_reference.services.identity.roles import Role
from payproof_reference.services.operations.queue import Status
from payproof_reference.services.operations.worker import Worker, run_worker
from payproof_reference.services.stripe.breaker import Breaker
from payproof_reference.services.stripe.calls import Caller
from payproof_reference.services.stripe.connection import Connection
from payproof_reference.services.stripe.live import LiveStripe
from payproof_reference.services.stripe.retry import Policies
from payproof_reference.settings import MisconfiguredError, Settings, load_settings
from payproof_reference.telemetry import logging, metrics

__all__ = ["main"]

# PCI DSS 8.6.3 wants secrets changed as often as their risk asks for.
DEFAULT_DAYS, MOST_DAYS = 90, 366


def main(arguments: Sequence[str] = ()) -> int:
    """Run a command; 78 (EX_CONFIG), with one line on standard error, when the settings are refused."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    options = build_parser().parse_args(arguments)
    # What a command prints may be a token on its way into another program, so its log goes elsewhere.
    logging.configure(sys.stdout if options.command in {None, "serve"} else sys.stderr)
    try:
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except MisconfiguredError as error:
        print(f"payproof_reference: {error}", file=sys.stderr)  # noqa: T201 - for the operator, before any log is trusted
        return os.EX_CONFIG


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of the command line; `run` of what it reads is the command."""
    built = argparse.ArgumentParser("python -m payproof_reference", description="The reference billing service.")
    built.set_defaults(run=lambda _: serve())
    commands = built.add_subparsers(dest="command", metavar="COMMAND")
    commands.add_parser("serve", help="serve until told to stop (the default)")
    add_maintenance(commands)
    add_access(commands)
    add_operations(commands)
    return built


def add_maintenance(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add what keeps the database in order."""
    migrate = commands.add_parser("migrate", help="bring the schema to the newest revision")
    migrate.add_argument("--down-to", metavar="REVISION", help="take it back instead; what later tables held is lost")
    migrate.set_defaults(run=lambda options: maintenance.migrate(options.down_to))
    verify = commands.add_parser("verify-audit", help="check the audit log; 1 when it is broken")
    verify.add_argument("--kept", type=read_mark, metavar="SEQUENCE:DIGEST", help="what an earlier check printed")
    verify.set_defaults(run=lambda options: maintenance.verify_audit(options.kept))
    purge = commands.add_parser("purge", help="remove what has outlived its retention")
    purge.add_argument("--dry-run", action="store_true", help="only count")
    purge.set_defaults(run=lambda options: maintenance.purge(dry_run=options.dry_run))
    exchange = commands.add_parser("exchange-audit-key", help="let the audit log go on under a new key")
    exchange.set_defaults(run=lambda _: maintenance.exchange_audit_key())
    inventory = commands.add_parser("inventory", help="list what is stored, why and for how long")
    inventory.set_defaults(run=lambda _: maintenance.show_inventory())


def add_access(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add what gives access and takes it."""
    tenant = commands.add_parser("create-tenant", help="create a tenant, and print its id")
    tenant.set_defaults(run=lambda _: access.create_tenant())
    create = commands.add_parser("create-credential", help="create a credential, and print its token this one time")
    create.add_argument("--tenant", metavar="ID", required=True, help="on whose behalf it acts")
    create.add_argument("--role", type=Role, required=True, help=f"one of {', '.join(Role)}")
    create.add_argument(
        "--days", type=read_days, default=DEFAULT_DAYS, help=f"until it ends; {DEFAULT_DAYS} by default"
    )
    create.set_defaults(run=lambda options: access.create_credential(options.tenant, options.role, options.days))
    revoke = commands.add_parser("revoke-credential", help="refuse a credential from now on")
    revoke.add_argument("id", metavar="ID", help="as `list-credentials` prints it")
    revoke.set_defaults(run=lambda options: access.revoke_credential(options.id))
    listed = commands.add_parser("list-credentials", help="print ids, roles and dates of credentials")
    listed.add_argument("--tenant", metavar="ID", help="only those of this one")
    listed.set_defaults(run=lambda options: access.list_credentials(options.tenant))


def add_operations(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add what shows operators what is left to do at Stripe."""
    shown = commands.add_parser("operations", help="list what was asked of Stripe")
    shown.add_argument("--status", choices=list(Status), help="only those")
    shown.set_defaults(run=lambda options: operations.show_operations(options.status and Status(options.status)))


def read_mark(text: str) -> Mark:
    """Read a mark as `verify-audit` prints it."""
    sequence, _, digest = text.partition(":")
    return Mark(int(sequence), digest)


def read_days(text: str) -> int:
    """Read for how long a credential is valid: at most a year, since one that never ends is one that is forgotten."""
    number = int(text)
    if not 1 <= number <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"must be from 1 to {MOST_DAYS}")
    return number


def serve() -> int:
    """Serve until told to stop.

    Raises:
        MisconfiguredError: a setting is unsafe, or the database is not as this release needs it.
    """
    settings = load_settings(Settings)
    certificate = Certificate(settings.tls_certificate, settings.tls_private_key)
    audit = AuditLog.under(settings)
    breaker = Breaker(rest_seconds=settings.breaker_seconds)
    policies = Policies.within(settings.stripe_answer_seconds, settings.stripe_backoff_seconds)
    with ExitStack() as stack:
        stripe = Connection(
            settings.stripe_api_key,
            Caller(breaker, policies, observe=metrics.count_stripe_attempt),
            api_base=settings.stripe_api_base,
            ca_file=settings.stripe_ca_file,
            telemetry=settings.stripe_telemetry,
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
            audit.append(connection, build_start_record())
        monitoring.announce_start(breaker, build=settings.build, schema=schema.HEAD)
        if settings.metrics_port is not None:
            stack.enter_context(monitoring.serve_metrics(settings.metrics_host, settings.metrics_port))
        for job in monitoring.build_jobs(engine, audit, certificate):
            stack.enter_context(job)
        app = create_app(settings, engine, LiveStripe(stripe))
        stack.enter_context(run_worker(Worker(app.state.attempts.work_once, settings.worker_seconds)))
        service = server.create_server(app, certificate.context, on_hangup=partial(certificate.renew, forced=True))
        if settings.stop_with_parent:
            server.stop_at_end_of_input(service)
        service.run(sockets=[listener])
    return os.EX_OK


def build_start_record() -> Record:
    """Build the audit record of a start."""
    return Record(
        event=Action.SERVICE_STARTED,
        actor=name_operator(),
        result=Result.SUCCESS,
        origin="command line",
        object_id=f"schema {schema.HEAD}",
    )


def stop(_number: int, _frame: object) -> None:
    """End the process as asked: uvicorn raises the signal again, and the default would be a death by signal."""
    raise SystemExit(os.EX_OK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
