import threading
import time

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from structlog.testing import capture_logs

from payproof_reference import monitoring
from payproof_reference.database import tables
from payproof_reference.database.engine import open_database, open_snapshot
from payproof_reference.monitoring import AuditCheck, Periodic
from payproof_reference.services.audit import log as audit_module
from payproof_reference.services.audit import retention
from payproof_reference.services.audit.chain import BrokenLog, ChainFault, Mark
from payproof_reference.services.audit.log import Action, AuditLog, Record, Result
from payproof_reference.services.stripe.breaker import Breaker
from payproof_reference.services.stripe.calls import Caller
from payproof_reference.services.stripe.errors import BillingError, Failure, FailureKind
from payproof_reference.services.stripe.retry import READS
from payproof_reference.telemetry import metrics
from tests.reference_impl.deliveries import event, new_key
from tests.waiting import DEADLINE

NOW = 1_800_000_000


def read_metric(name: str, **labels: str) -> float | None:
    return metrics.REGISTRY.get_sample_value(f"billing_{name}", labels)


def append(engine, audit, count=1):
    """Add records to the log."""
    record = Record(event=Action.SERVICE_STARTED, actor="a", result=Result.SUCCESS, origin="b")
    with engine.begin() as connection:
        audit.append(connection, *[record] * count)


def tamper(owner, *statements):
    """Change the audit log as somebody who has all rights and no key."""
    with owner.begin() as connection:
        if owner.name == "sqlite":
            for trigger in ("audit_log_no_update", "audit_log_no_delete", "audit_anchors_no_delete"):
                connection.execute(text(f"DROP TRIGGER IF EXISTS {trigger}"))
        for statement in statements:
            connection.execute(text(statement))


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_sample_tells_of_the_database(engine, audit):
    """The look into the database counts operations by status, finds the oldest that waits, and counts audit records."""
    shapes = [("pending", 30), ("pending", 7200), ("succeeded", 90_000), ("given_up", 60)]
    with engine.begin() as connection:
        for number, (status, age) in enumerate(shapes):
            row = {"operation_id": f"op_{number}", "tenant_id": "t", "credential_id": "c", "kind": "refund"}
            row |= {"status": status, "client_key": str(number), "request_digest": "d", "attempts": 1}
            connection.execute(tables.operations.insert().values(row | {"created_at": NOW - age}))
    append(engine, audit, 3)
    monitoring.sample_database(engine, lambda: NOW)
    assert {
        status: read_metric("operations", status=status) for status in ("pending", "succeeded", "failed", "given_up")
    } == {
        "pending": 2,
        "succeeded": 1,
        "failed": 0,
        "given_up": 1,
    }
    assert (read_metric("operations_oldest_pending_seconds"), read_metric("audit_records")) == (7200, 3)
    assert (read_metric("database_up"), read_metric("sampled_timestamp_seconds")) == (1, NOW)


def test_sample_of_an_idle_service_tells_zero(engine, audit):
    """Without operations there are none and the oldest has no age, rather than what the last look found."""
    metrics.OLDEST_PENDING.set(7200)
    metrics.OPERATIONS.labels("pending").set(7)
    monitoring.sample_database(engine, lambda: NOW)
    assert (read_metric("operations", status="pending"), read_metric("operations_oldest_pending_seconds")) == (0, 0)


def test_sample_tells_that_the_database_is_gone(tmp_path):
    """A database that does not answer is told as such, and that it was looked into all the same."""
    engine = open_database(f"sqlite:///{tmp_path}/empty.db")
    monitoring.sample_database(engine, lambda: NOW)
    assert (read_metric("database_up"), read_metric("sampled_timestamp_seconds")) == (0, NOW)
    engine.dispose()


def test_first_audit_check_is_whole_and_the_next_goes_on_from_there(engine, audit):
    """The mark of one check is where the next begins, until a day has passed; each writes what to keep elsewhere."""
    clock = Clock()
    check = AuditCheck(engine, audit, clock)
    with capture_logs() as found:
        for added, hours in ((5, 1), (2, 22), (0, 1), (1, 1)):
            if added:
                append(engine, audit, added)
            check()
            clock.now += hours * 3600
    assert {line["event"] for line in found} == {"audit_verified"}
    assert [(line["records"], line["whole"]) for line in found] == [(5, True), (2, False), (0, False), (8, True)]
    assert found[-1]["keep"].startswith("8:")
    assert read_metric("audit_intact") == 1
    assert abs(read_metric("audit_verified_timestamp_seconds") - time.time()) < DEADLINE


@pytest.mark.parametrize(
    ("statement", "place", "fault"),
    [
        ("UPDATE audit_log SET origin = 'x' WHERE sequence = 7", 7, ChainFault.ALTERED),
        ("DELETE FROM audit_log WHERE sequence = 7", 7, ChainFault.REMOVED),
        ("DELETE FROM audit_log WHERE sequence >= 7", 7, ChainFault.TRUNCATED),
        ("UPDATE audit_anchors SET seal = 'x' WHERE name = 'end'", 9, ChainFault.END_FORGED),
        ("UPDATE audit_anchors SET seal = 'x' WHERE name = 'start'", 1, ChainFault.START_FORGED),
    ],
)
def test_change_since_the_last_check_is_found_by_the_next(engine, audit, owner, statement, place, fault):
    """What is broken behind the mark shows at once, stays told until it is whole, and says where."""
    check = AuditCheck(engine, audit, Clock())
    append(engine, audit, 5)
    check()
    append(engine, audit, 3)
    tamper(owner, statement)
    with capture_logs() as found:
        for _ in range(2):
            check()
            assert read_metric("audit_intact") == 0
    line = {"event": "audit_broken", "sequence": place, "fault": fault, "log_level": "error"}
    assert found == [line, line]


def test_change_before_the_mark_is_found_within_a_day(engine, audit, owner):
    """An old record is looked at again when a day has passed, and from then on at each check."""
    clock = Clock()
    check = AuditCheck(engine, audit, clock)
    append(engine, audit, 5)
    check()
    tamper(owner, "UPDATE audit_log SET origin = 'x' WHERE sequence = 2")
    clock.now = 23 * 3600
    check()
    assert read_metric("audit_intact") == 1
    clock.now = 24 * 3600
    check()
    assert read_metric("audit_intact") == 0


def test_old_copy_of_the_log_is_found(engine, audit, owner):
    """A log that was put back as it was an hour ago is genuine in itself, and shorter than the mark that was kept."""
    append(engine, audit, 5)
    with owner.connect() as connection:
        old = connection.execute(text("SELECT sequence, digest, seal FROM audit_anchors WHERE name = 'end'")).one()
    append(engine, audit, 3)
    check = AuditCheck(engine, audit, Clock())
    check()
    values = f"sequence = {old.sequence}, digest = '{old.digest}', seal = '{old.seal}'"
    tamper(owner, "DELETE FROM audit_log WHERE sequence > 5", f"UPDATE audit_anchors SET {values} WHERE name = 'end'")
    with capture_logs() as found:
        check()
    assert (found[0]["event"], found[0]["fault"]) == ("audit_broken", ChainFault.TRUNCATED)


def test_purge_between_two_checks_is_no_loss(engine, owner, settings):
    """When the record of the mark was purged in the meantime, all that there is is checked."""
    times = [NOW - 366 * 86_400]
    log = AuditLog(settings.audit_key, lambda: times[0])
    check = AuditCheck(engine, log, Clock())
    append(engine, log, 5)
    check()
    times[0] = NOW
    append(engine, log, 2)
    retention.purge(owner, log, NOW, "operator")
    check()
    assert read_metric("audit_intact") == 1


def test_log_that_goes_on_under_a_new_key_is_whole(engine, audit, owner, settings):
    """A service that was given the key before checks the log across the exchange, whole and in parts."""
    append(engine, audit, 3)
    log = AuditLog(SecretStr(new_key()), previous=[settings.audit_key])
    record = Record(event=Action.AUDIT_KEY_EXCHANGED, actor="a", result=Result.SUCCESS, origin="b")
    with owner.begin() as connection:
        log.exchange_key(connection, record)
    check = AuditCheck(engine, log, Clock())
    for _ in range(2):
        check()
        assert read_metric("audit_intact") == 1
        append(engine, log, 2)


def test_check_sees_one_moment(engine, owner, audit, monkeypatch):
    """Records that are added while the log is read are neither a fault nor a reason to stop a purge."""
    right = audit_module.read_anchors

    def meanwhile(connection):
        found = right(connection)
        monkeypatch.setattr(audit_module, "read_anchors", right)
        append(engine, audit)
        return found

    append(engine, audit, 2)
    monkeypatch.setattr(audit_module, "read_anchors", meanwhile)
    AuditCheck(engine, audit, Clock())()
    assert read_metric("audit_intact") == 1
    monkeypatch.setattr(audit_module, "read_anchors", meanwhile)
    retention.purge(owner, audit, 0, "operator")


def test_check_that_cannot_read_says_nothing(engine, audit, owner):
    """A database that refuses leaves the last answer and its time as they were: unknown is neither whole nor broken."""
    metrics.AUDIT_INTACT.set(1)
    metrics.AUDIT_VERIFIED.set(NOW)
    with owner.begin() as connection:
        connection.execute(text("ALTER TABLE audit_anchors RENAME TO elsewhere"))
    with pytest.raises(SQLAlchemyError):
        AuditCheck(engine, audit, Clock())()
    assert (read_metric("audit_intact"), read_metric("audit_verified_timestamp_seconds")) == (1, NOW)


def test_check_leaves_others_their_turn(engine, audit, monkeypatch):
    """After each batch it sleeps as long as the batch took."""
    clock = Clock()
    slept = []
    monkeypatch.setattr(audit_module, "BATCH", 2)
    monkeypatch.setattr(monitoring.time, "sleep", slept.append)
    right = audit_module.chain.digest_of

    def slow(*given):
        clock.now += 1
        return right(*given)

    append(engine, audit, 5)
    monkeypatch.setattr(audit_module.chain, "digest_of", slow)
    AuditCheck(engine, audit, clock)()
    assert slept == [2, 2, 1]


def test_marks_beside_the_log_are_not_taken_for_its_start(engine, audit):
    """Only a mark that lies within the log shortens the check; one beyond it shows that the log was cut."""
    append(engine, audit, 3)
    with open_snapshot(engine) as connection:
        assert audit.verify(connection, after=Mark(9, "x")) == BrokenLog(4, ChainFault.TRUNCATED)


def test_refused_append_is_counted(engine, audit, owner):
    """Each record that the log does not take is counted, whether an effect or only a refusal asked for it."""
    before = read_metric("audit_append_failures_total")
    with owner.begin() as connection:
        connection.execute(text("UPDATE audit_anchors SET seal = 'x' WHERE name = 'end'"))
    with pytest.raises(audit_module.AuditBrokenError):
        append(engine, audit)
    record = Record(event=Action.WEBHOOK_REJECTED, actor="a", result=Result.REFUSED, origin="b")
    assert not audit.note(engine, record)
    assert read_metric("audit_append_failures_total") == before + 2


def test_deliveries_are_counted_by_what_came_of_them(client):
    """An accepted delivery counts with its outcome, a rejected one with its cause, and each answer with its status."""
    names = [("accepted", "applied"), ("accepted", "duplicate"), ("rejected", "malformed_header")]

    def counts():
        deliveries = [
            read_metric("webhook_deliveries_total", result=result, reason=reason) or 0 for result, reason in names
        ]
        return [*deliveries, read_metric("answers_total", status="401") or 0]

    before = counts()
    body = event()
    client.deliver(body)
    client.deliver(body)
    client.deliver(body, headers={"Stripe-Signature": "t=1"})
    assert [after - earlier for after, earlier in zip(counts(), before, strict=True)] == [1, 1, 1, 1]


def test_calls_to_stripe_are_counted_by_operation_and_result():
    """Each attempt counts: as retried, as the category of the failure, or as a success."""
    caller = Caller(Breaker(), sleep=lambda _seconds: None, observe=metrics.count_stripe_attempt)
    answers = iter([Failure(FailureKind.NO_ANSWER), "found", Failure(FailureKind.ERROR_ANSWER, status=404)])
    results = ["retried", "succeeded", "invalid_request"]
    before = [read_metric("stripe_attempts_total", operation="look", result=result) or 0 for result in results]
    assert caller.call("look", READS, lambda: next(answers)) == "found"
    with pytest.raises(BillingError):
        caller.call("look", READS, lambda: next(answers))
    after = [read_metric("stripe_attempts_total", operation="look", result=result) for result in results]
    assert after == [count + 1 for count in before]


def test_state_of_the_breaker_is_told_as_it_is():
    """Exactly one state is 1, the one in which the breaker is when somebody looks."""
    clock = Clock()
    breaker = Breaker(threshold=1, rest_seconds=15, clock=clock)
    monitoring.announce_start(breaker, build="1")

    def states():
        return [read_metric("stripe_breaker_state", state=state) for state in ("closed", "open", "half_open")]

    found = [states()]
    breaker.report(outage=True)
    found.append(states())
    clock.now = 15
    found.append(states())
    assert found == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_background_job_outlives_its_errors():
    """A run that fails is counted and logged, and the next one comes all the same."""
    runs = threading.Semaphore(0)

    def fail():
        runs.release()
        raise ValueError

    before = read_metric("background_failures_total", task="trial") or 0
    with capture_logs() as found, Periodic("trial", 0.01, fail):
        assert all(runs.acquire(timeout=DEADLINE) for _ in range(3))
    # The last run may have been counted after the end.
    assert read_metric("background_failures_total", task="trial") >= before + 2
    assert {(line["event"], line["job"], type(line["exc_info"])) for line in found} == {
        ("background_job_failed", "trial", ValueError)
    }


def test_background_job_waits_for_its_first_run():
    """Nothing runs before the first wait is over, and nothing after the end."""
    runs = []
    with Periodic("trial", 0.01, lambda: runs.append(1), first=DEADLINE):
        time.sleep(0.05)
    assert runs == []
