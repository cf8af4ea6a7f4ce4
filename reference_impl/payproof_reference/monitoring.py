"""Background jobs that measure the service, and the listener for the metrics."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import structlog
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from payproof_reference import server
from payproof_reference.certificate import Certificate
from payproof_reference.database.engine import open_snapshot
from payproof_reference.database.tables import operations
from payproof_reference.middleware.errors import UnhandledErrors, on_http_error
from payproof_reference.services.audit.chain import BrokenLog, Mark
from payproof_reference.services.audit.log import AuditLog, read_anchors
from payproof_reference.services.events.delivery import EventOutcome
from payproof_reference.services.events.webhooks import Cause
from payproof_reference.services.stripe.breaker import Breaker, State
from payproof_reference.services.stripe.errors import Category
from payproof_reference.services.stripe.port import StripeGateway
from payproof_reference.telemetry import metrics

__all__ = ["AuditCheck", "Periodic", "announce_start", "build_jobs", "sample_database", "serve_metrics"]

log = structlog.get_logger()

SAMPLE_SECONDS = 15.0
CERTIFICATE_SECONDS = 60.0
AUDIT_SECONDS = 3600.0
# Soon after the start, but not among all else that happens then.
FIRST_AUDIT_SECONDS = 30.0
WHOLE_AUDIT_SECONDS = 24 * 3600.0
STOP_SECONDS = 1.0


class Periodic:
    """A job that runs in a thread of its own until it is stopped; an error ends one run and not the job.

    Args:
        name: names the job in the log and the metrics.
        seconds: from the end of one run to the beginning of the next.
        job: what is done.
        first: seconds before the first run.
    """

    def __init__(self, name: str, seconds: float, job: Callable[[], object], *, first: float = 0) -> None:
        self._name, self._seconds, self._job, self._first = name, seconds, job, first
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        metrics.BACKGROUND_FAILURES.labels(name)

    def __enter__(self) -> None:
        """Start."""
        self._thread.start()

    def __exit__(self, *_error: object) -> None:
        """Stop, and wait for a run that has begun, but not long: it changes nothing that could stay half done."""
        self._stopped.set()
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        wait = self._first
        while not self._stopped.wait(wait):
            wait = self._seconds
            try:
                self._job()
            except Exception as error:
                # A job that has stopped for ever would be worse.
                metrics.BACKGROUND_FAILURES.labels(self._name).inc()
                log.exception("background_job_failed", job=self._name, exc_info=error)


def build_jobs(engine: Engine, audit: AuditLog, certificate: Certificate) -> tuple[Periodic, ...]:
    """List what is done in the background."""
    return (
        Periodic("certificate", CERTIFICATE_SECONDS, certificate.renew, first=CERTIFICATE_SECONDS),
        Periodic("database", SAMPLE_SECONDS, partial(sample_database, engine)),
        Periodic("audit", AUDIT_SECONDS, AuditCheck(engine, audit), first=FIRST_AUDIT_SECONDS),
    )


class AuditCheck:
    """Verifies the audit log (PCI DSS 10.3.4, 10.4.1.1): all of it once a day, and in between what was added.

    What it found is kept as the mark of the next check, so that an old copy of the whole log shows when it is put back;
    and it is written to the log of the service, which is the other place that `verify-audit --kept` asks for.
    At most half of one core is used: as long as a batch took, the others have their turn.
    """

    def __init__(self, engine: Engine, audit: AuditLog, clock: Callable[[], float] = time.monotonic) -> None:
        self._engine, self._audit, self._clock = engine, audit, clock
        self._kept: Mark | None = None
        self._whole_at: float | None = None

    def __call__(self) -> None:
        """Check once.

        Raises:
            SQLAlchemyError: the database does not answer; nothing is known then.
        """
        begun = self._clock()
        whole = self._whole_at is None or begun - self._whole_at >= WHOLE_AUDIT_SECONDS
        with open_snapshot(self._engine) as connection:
            found = self._audit.verify(
                connection, self._kept, after=None if whole else self._kept, pause=Turns(self._clock)
            )
        metrics.AUDIT_INTACT.set(not isinstance(found, BrokenLog))
        metrics.AUDIT_VERIFIED.set_to_current_time()
        if isinstance(found, BrokenLog):
            # The next check is of the whole log again: a broken one stays broken until somebody has looked at it.
            self._whole_at = None
            log.error("audit_broken", sequence=found.sequence, fault=found.fault)
            return
        self._kept = found.end
        self._whole_at = begun if whole else self._whole_at
        log.info("audit_verified", records=found.records, whole=whole, keep=f"{found.end.sequence}:{found.end.digest}")


class Turns:
    """Sleeps as long as the work since the last sleep took."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since = clock()

    def __call__(self) -> None:
        """Sleep."""
        time.sleep(max(0.0, self._clock() - self._since))
        self._since = self._clock()


def sample_database(engine: Engine, now: Callable[[], float] = time.time) -> None:
    """Look into the database: whether it answers, how long the audit log is, and what waits for Stripe."""
    counted = select(operations.c.status, func.count(), func.min(operations.c.created_at)).group_by(operations.c.status)
    try:
        with open_snapshot(engine) as connection:
            found = {status: (count, oldest) for status, count, oldest in connection.execute(counted)}
            ends = read_anchors(connection)
    except SQLAlchemyError:
        metrics.DATABASE_UP.set(0)
    else:
        metrics.DATABASE_UP.set(1)
        for status in ("pending", "succeeded", "failed", "given_up"):
            metrics.OPERATIONS.labels(status).set(found.get(status, (0, None))[0])
        metrics.OLDEST_PENDING.set(max(0.0, now() - found["pending"][1]) if "pending" in found else 0)
        if {"start", "end"} <= ends.keys():
            metrics.AUDIT_RECORDS.set(ends["end"].mark.sequence - ends["start"].mark.sequence)
    metrics.SAMPLED.set(now())


def announce_start(breaker: Breaker, **build: str) -> None:
    """Make every series of the service exist, at zero, so that the first increment is seen as one.

    Args:
        breaker: the one whose state the metrics show.
        build: names and values that tell what is running.
    """
    metrics.BUILD.info(build)
    for cause in Cause:
        metrics.DELIVERIES.labels("rejected", cause)
    for outcome in EventOutcome:
        metrics.DELIVERIES.labels("accepted", outcome)
    for part in ("head", "body"):
        metrics.TOO_SLOW.labels(part)
    for result in ("taken", "refused"):
        metrics.CERTIFICATE_LOADS.labels(result)
    # Every call has the name of the gateway's operation, but for the one that looks for what another changes.
    for operation in ("find_plan", *(name for name in vars(StripeGateway) if not name.startswith("_"))):
        for result in ("succeeded", "retried", *Category):
            metrics.STRIPE_ATTEMPTS.labels(operation, result)
    for state in State:
        metrics.BREAKER.labels(state).set_function(partial(is_in, breaker, state))


def is_in(breaker: Breaker, state: State) -> bool:
    """Tell whether a breaker is in a state."""
    return breaker.state is state


@contextmanager
def serve_metrics(host: str, port: int) -> Iterator[None]:
    """Answer `GET /metrics` by plain HTTP on a listener of its own.

    It has no sign-in, so it belongs on the loopback address or on a network of the operator's; nothing of a customer
    and no secret is in it. It is another port than the service's, so that no proxy can publish it by mistake.

    Raises:
        MisconfiguredError: the address cannot be used.
    """
    listener = server.listen(host, port, "BILLING_METRICS_HOST, BILLING_METRICS_PORT")
    metered = server.create_server(create_metrics_app(), None, name="metrics_started")
    thread = threading.Thread(target=metered.run, kwargs={"sockets": [listener]}, name="metrics", daemon=True)
    with ExitStack() as stack:
        stack.callback(thread.join, STOP_SECONDS)
        stack.callback(setattr, metered, "should_exit", True)  # noqa: FBT003 - positional is how setattr takes it
        thread.start()
        yield


def create_metrics_app() -> ASGIApp:
    """Build the application behind the listener of the metrics."""

    def exposition(_request: Request) -> Response:
        return Response(generate_latest(metrics.REGISTRY), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app = Starlette(routes=[Route("/metrics", exposition)], exception_handlers={HTTPException: on_http_error})
    return UnhandledErrors(app)
