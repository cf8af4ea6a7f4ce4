import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from payproof_reference.__main__ import build_parser
from payproof_reference.commands.operations import show_operations
from payproof_reference.services.operations import intake, queue, transitions
from payproof_reference.services.operations.attempts import Attempts
from payproof_reference.services.operations.queue import LEASE_SECONDS, Backlog, Status
from payproof_reference.services.operations.worker import LONGEST_REST_SECONDS, Worker, run_worker
from payproof_reference.services.stripe.errors import BillingError, Category
from payproof_reference.services.stripe.retry import READS, WRITES
from tests.reference_impl.stripe_twin import InMemoryStripe
from tests.waiting import until

OUTAGE = Category.TEMPORARILY_UNAVAILABLE


class Crash(BaseException):
    """The process is gone."""


class Gateway(InMemoryStripe):
    """Stripe in memory, with something that happens before or after a customer is created."""

    def __init__(self, before=lambda: None, after=lambda: None):
        super().__init__({"price_1": 1000})
        self.before, self.after = before, after

    def create_customer(self, **options):
        self.before()
        made = super().create_customer(**options)
        self.after()
        return made


def crash():
    raise Crash


def pending(shop, times=1):
    """Leave operations behind."""
    shop.stripe.replay.fail_next(OUTAGE, times=times)
    return [shop.post("/customers").json()["id"] for _ in range(times)]


def ended(shop):
    """The events of the audit log by the operation that they belong to."""
    found = {}
    for event, reference in shop.read_audit_log("event, reference"):
        found.setdefault(reference, []).append(event)
    return found


@pytest.mark.parametrize("moment", ["before", "after"])
def test_crash_costs_the_lease_and_nothing_else(shop, moment):
    """What a process left in the middle, before or after Stripe did it, is taken over when its lease ends."""
    gateway = Gateway(**{moment: crash})
    (operation_id,) = pending(shop)
    shop.ahead = 10
    with pytest.raises(Crash):
        shop.attempts(gateway).work_once()
    setattr(gateway, moment, lambda: None)
    second = shop.attempts(gateway)
    assert second.work_once() is False
    shop.ahead += LEASE_SECONDS - 2
    assert second.work_once() is False
    shop.ahead += 3
    assert second.work_once() is True
    assert second.work_once() is False
    assert len(gateway.customers) == 1
    assert shop.operations("status, attempts") == [("succeeded", 3)]
    assert ended(shop)[operation_id] == ["operation_requested", "operation_deferred", "operation_succeeded"]


def test_crash_of_a_request_is_finished_by_the_worker(shop, monkeypatch):
    """What a request had only written when its process ended is done later, and recorded as put off."""
    monkeypatch.setattr(Attempts, "attempt", lambda *_: crash())
    with pytest.raises(Crash):
        shop.post("/customers")
    monkeypatch.undo()
    assert shop.work() == 0
    assert shop.work(ahead=LEASE_SECONDS + 1) == 1
    (events,) = ended(shop).values()
    assert events == ["operation_requested", "operation_deferred", "operation_succeeded"]


def test_lease_is_longer_than_an_operation():
    """Nobody takes over while an operation is within its bounds: a read and a write."""
    assert READS.total_seconds + WRITES.total_seconds < LEASE_SECONDS


def test_workers_at_once_share_the_work(shop):
    """Five workers do twelve operations once each, and none is attempted by two."""
    made = pending(shop, times=12)
    shop.ahead = 10

    def work(_):
        attempts, done = shop.attempts(), 0
        while attempts.work_once():
            done += 1
        return done

    with ThreadPoolExecutor(5) as pool:
        assert sum(pool.map(work, range(5))) == 12
    assert shop.operations("status, attempts") == [("succeeded", 2)] * 12
    assert len(shop.stripe.customers) == 12
    assert sorted(shop.calls("create_customer")) == sorted(made * 2)


def test_worker_leaves_alone_what_another_is_at(shop):
    """While one worker waits for Stripe, another does what else is due, and not the same."""
    pending(shop, times=2)
    shop.ahead = 10
    begun, go_on = threading.Event(), threading.Event()
    slow = Gateway(before=lambda: (begun.set(), go_on.wait(10)))
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shop.attempts(slow).work_once)
        begun.wait(60)
        other = shop.attempts()
        assert [other.work_once(), other.work_once()] == [True, False]
        go_on.set()
        assert first.result() is True
    assert len(slow.customers) == len(shop.stripe.customers) == 1


def test_late_attempt_does_not_undo_what_a_later_one_did(shop):
    """Who comes back after the lease ended, with success or failure, changes nothing and records nothing."""
    for failure in (None, OUTAGE, Category.CARD_DECLINED):
        (operation_id,) = pending(shop)
        shop.ahead += 1000

        def overtaken(failure=failure):
            shop.ahead += LEASE_SECONDS + 1
            assert shop.attempts().work_once() is True
            if failure:
                raise BillingError(failure)

        with capture_logs() as lines:
            assert shop.attempts(Gateway(after=overtaken)).work_once() is True
        assert [line["event"] for line in lines] == ["operation_succeeded", "attempt_superseded"]
        assert shop.get(f"/operations/{operation_id}").json()["status"] == "succeeded"
        assert ended(shop)[operation_id].count("operation_succeeded") == 1
        assert "operation_failed" not in ended(shop)[operation_id]


@pytest.mark.parametrize("failure", [None, OUTAGE, Category.CARD_DECLINED])
def test_late_attempt_does_not_end_the_claim_of_a_later_one(shop, failure):
    """Who comes back while another is at it leaves the claim and the state to that other."""
    pending(shop)
    shop.ahead = 1000

    def overtaken():
        shop.ahead += LEASE_SECONDS + 1
        with pytest.raises(Crash):
            shop.attempts(Gateway(before=crash)).work_once()
        if failure:
            raise BillingError(failure)

    with capture_logs() as lines:
        assert shop.attempts(Gateway(after=overtaken)).work_once() is True
    assert [line["event"] for line in lines] == ["attempt_superseded"]
    ((status, attempts, claimed_until),) = shop.operations("status, attempts, claimed_until")
    assert (status, attempts) == ("pending", 3)
    assert claimed_until > shop.now()
    assert ended(shop).popitem()[1] == ["operation_requested", "operation_deferred"]


def test_operations_on_one_object_keep_their_order(shop):
    """While one is unfinished, the next on the same subscription waits; they are done in the order of asking."""
    subscription_id = shop.subscription()
    own = f"/subscriptions/{subscription_id}"
    shop.stripe.replay.fail_next(OUTAGE, times=2)
    asked = [
        shop.post(f"{own}/cancel", {"at": "period_end"}),
        shop.post(f"{own}/resume"),
        shop.post(f"{own}/change-plan", {"price_id": "price_2"}),
        shop.post(f"{own}/cancel", {"at": "now"}),
    ]
    assert [answer.status_code for answer in asked] == [202] * 4
    assert [answer.json()["attempts"] for answer in asked] == [1, 0, 0, 0]
    assert shop.work(ahead=10) == 1
    assert shop.work(ahead=100) == 4
    order = [call.operation for call in shop.stripe.replay.calls[2:]]
    assert order == ["cancel_at_period_end"] * 3 + ["resume", "change_plan", "cancel_now"]
    assert shop.get(own).json()["status"] == "canceled"


def test_operations_on_other_objects_do_not_wait(shop):
    """One subscription that hangs holds up neither another of the same customer nor a new one."""
    customer_id = shop.customer()
    first, second = shop.subscription(customer_id), shop.subscription(customer_id)
    shop.stripe.replay.fail_next(OUTAGE)
    assert shop.post(f"/subscriptions/{first}/resume").status_code == 202
    assert shop.post(f"/subscriptions/{second}/resume").status_code == 200
    assert shop.post("/customers").status_code == 201
    assert shop.subscription(customer_id).startswith("sub_")


def test_new_subscriptions_of_a_customer_keep_their_order(shop):
    """A second subscription waits for the first, whose object is the customer until it exists."""
    wanted = {"customer_id": shop.customer(), "price_id": "price_1"}
    shop.stripe.replay.fail_next(OUTAGE)
    assert shop.post("/subscriptions", wanted).status_code == 202
    behind = shop.post("/subscriptions", wanted | {"price_id": "price_2"})
    assert (behind.status_code, behind.json()["attempts"], behind.json()["category"]) == (202, 0, None)
    assert shop.work(ahead=10) == 2
    assert [one.price_id for one in shop.stripe.subscriptions.values()] == ["price_1", "price_2"]


def test_refunds_of_a_payment_keep_their_order(shop):
    """Refunds of one payment are made one after the other."""
    intent = shop.payment(amount=1000)
    shop.stripe.replay.fail_next(OUTAGE)
    assert shop.post("/refunds", {"payment_intent_id": intent, "amount": 400}).status_code == 202
    assert shop.post("/refunds", {"payment_intent_id": intent, "amount": 700}).status_code == 202
    assert shop.work(ahead=10) == 2
    assert shop.operations("status, category")[-2:] == [("succeeded", None), ("failed", "invalid_request")]


@pytest.mark.thorough
def test_order_is_that_of_asking_under_load(shop):
    """What twenty threads ask of one subscription is put into an order, and everybody's turn comes."""
    own = f"/subscriptions/{shop.subscription()}"
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: shop.post(f"{own}/cancel", {"at": "period_end"}), range(20)))
    assert {answer.status_code for answer in answers} <= {200, 202}
    shop.work(ahead=60)
    rows = shop.operations("kind, status, attempts")[2:]
    assert rows == [("cancel_at_period_end", "succeeded", 1)] * 20


def test_two_asked_at_once_are_put_in_an_order(shop, monkeypatch):
    """Who asks while another's request of the same object is being written waits, and comes behind it."""
    wanted = queue.WantedOperation(kind=queue.Kind.RESUME, stripe_subscription_id=shop.subscription())
    request = intake.OperationRequest(wanted=wanted, principal=shop.client.principal, origin="192.0.2.1")
    entered, enter = threading.Event(), queue.enter_operation

    def slowly(*args, **values):
        made = enter(*args, **values)
        if not entered.is_set():
            entered.set()
            time.sleep(0.5)
        return made

    def ask():
        return intake.accept_operation(shop.engine, shop.audit, shop.settings.credential_key, request, 1_800_000_000)

    monkeypatch.setattr(queue, "enter_operation", slowly)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask)
        entered.wait(10)
        second = pool.submit(ask)
    assert (first.result().is_claimed, second.result().is_claimed) == (True, False)
    assert second.result().operation.created_at > first.result().operation.created_at


@pytest.mark.parametrize(
    ("category", "after_effect", "outcome", "reason"),
    [
        (Category.RATE_LIMITED, False, "not done", "create_customer: rate_limited"),
        (OUTAGE, False, "unknown", "create_customer: outcome_unknown"),
        (OUTAGE, True, "unknown", "create_customer: outcome_unknown"),
    ],
)
def test_operation_is_given_up_in_time(shop, category, after_effect, outcome, reason):
    """Before Stripe forgets the key it is given up, without another call; the operator is told what is in doubt."""
    shop.stripe.replay.fail_next(category, after_effect=after_effect)
    operation_id = shop.post("/customers", key="k").json()["id"]
    with capture_logs() as lines:
        assert shop.work(ahead=shop.settings.give_up_seconds + 1) == 1
    assert len(shop.stripe.replay.calls) == 1
    (line,) = lines
    assert (line["event"], line["log_level"], line["outcome"]) == ("operation_given_up", "error", outcome)
    assert line["operation_id"] == operation_id
    assert shop.operations("status, category, next_attempt_at") == [("given_up", category, None)]
    assert shop.read_audit_log("event, result, reason")[-1] == ("operation_given_up", "failed", reason)
    answer = shop.post("/customers", key="k")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "given_up")
    assert shop.work(ahead=shop.settings.give_up_seconds + 10_000) == 0


def test_doubt_outlives_later_answers(shop):
    """A rate limit after a lost answer, or after a crash, says nothing of the attempt before it."""
    shop.stripe.replay.fail_next(OUTAGE, after_effect=True)
    shop.stripe.replay.fail_next(Category.RATE_LIMITED)
    shop.post("/customers")
    shop.work(ahead=10)
    assert shop.operations("category") == [(OUTAGE,)]
    shop.stripe.replay.fail_next(Category.RATE_LIMITED)
    shop.post("/customers")
    shop.ahead = 1000
    crashing = shop.attempts(Gateway(after=crash))
    for _ in range(2):
        with pytest.raises(Crash):
            crashing.work_once()
    shop.stripe.replay.fail_next(Category.RATE_LIMITED, times=2)
    shop.work(ahead=1001 + LEASE_SECONDS)
    assert shop.operations("status, category") == [("pending", OUTAGE)] * 2


def test_crash_is_in_doubt_when_it_is_given_up(shop, monkeypatch):
    """Of an only attempt whose end nobody saw, nobody knows whether Stripe did it."""
    monkeypatch.setattr(Attempts, "attempt", lambda *_: crash())
    with pytest.raises(Crash):
        shop.post("/customers")
    with capture_logs() as lines:
        assert shop.work(ahead=shop.settings.give_up_seconds + 1) == 1
    assert lines[0]["outcome"] == "unknown"
    assert shop.operations("status, category") == [("given_up", OUTAGE)]
    assert shop.read_audit_log("reason")[-1] == ("create_customer: outcome_unknown",)


def test_what_never_had_its_turn_is_given_up_without_doubt(shop):
    """What waited behind another until its time was over was never asked of Stripe."""
    own = f"/subscriptions/{shop.subscription()}"
    shop.stripe.replay.fail_next(OUTAGE)
    shop.post(f"{own}/cancel", {"at": "period_end"})
    shop.post(f"{own}/resume")
    assert shop.work(ahead=shop.settings.give_up_seconds + 2) == 2
    reasons = [reason for event, reason in shop.read_audit_log("event, reason") if event == "operation_given_up"]
    assert reasons == ["cancel_at_period_end: outcome_unknown", "resume"]


def test_fault_of_the_service_loses_nothing(shop):
    """An error that nobody foresaw is logged without its text, and the operation is tried again after its lease."""

    def fault():
        raise RuntimeError("canary")

    client = type(shop.client)(shop.settings, shop.engine, Gateway(before=fault)).as_principal()
    with capture_logs() as lines:
        answer = client.request("POST", "/v1/customers")
        shop.ahead = LEASE_SECONDS + 1
        worker = Worker(shop.attempts(Gateway(before=fault)).work_once, 5)
        assert [worker.step(), worker.step()] == [10, 5]
    assert answer.status_code == 500
    assert "canary" not in answer.text
    assert [line["event"] for line in lines] == ["unhandled_exception", "worker_failed"]
    assert shop.work(ahead=2 * LEASE_SECONDS + 2) == 1
    assert shop.operations("status") == [("succeeded",)]


def test_refused_key_leaves_a_lost_answer_in_doubt(shop):
    """That Stripe refuses the service's key now does not say that it refused the first attempt."""
    shop.stripe.replay.fail_next(OUTAGE, after_effect=True)
    shop.stripe.replay.fail_next(Category.CONFIGURATION)
    shop.post("/customers")
    assert shop.work(ahead=10) == 1
    assert shop.read_audit_log("event, reason")[-1] == ("operation_failed", "create_customer: outcome_unknown")


def test_waiting_operation_is_done_after_one_that_was_given_up(shop):
    """What waited behind it has its turn."""
    own = f"/subscriptions/{shop.subscription()}"
    shop.stripe.replay.fail_next(OUTAGE)
    shop.post(f"{own}/cancel", {"at": "period_end"})
    shop.post(f"{own}/resume")
    shop.execute("UPDATE operations SET created_at = created_at - 80000 WHERE kind = 'cancel_at_period_end'")
    assert shop.work(ahead=10) == 2
    assert shop.operations("kind, status")[0] == ("cancel_at_period_end", "given_up")
    assert shop.operations("kind, status")[-1] == ("resume", "succeeded")


def test_pause_grows_within_bounds():
    """The pause doubles from 5 seconds to 300, half of it by chance, on top of what Stripe asked for."""
    shortest = [transitions.choose_pause(number, None, 0) for number in range(1, 9)]
    longest = [transitions.choose_pause(number, None, 0.999) for number in range(1, 9)]
    assert shortest == [3, 5, 10, 20, 40, 80, 150, 150]
    assert longest == [5, 10, 20, 40, 80, 160, 300, 300]
    assert transitions.choose_pause(10_000, 90, 0) == 240


def test_stripe_s_wish_is_kept_up_to_the_deadline(shop):
    """Retry-After is never cut short; one beyond the deadline means that nothing is tried before it."""

    def refuse(seconds):
        def raising():
            raise BillingError(Category.RATE_LIMITED, retry_after=seconds)

        return raising

    pending(shop)
    shop.ahead = 10
    shop.attempts(Gateway(before=refuse(600))).work_once()
    created, at = shop.operations("created_at, next_attempt_at")[0]
    assert 610 <= at - created <= 620
    shop.ahead = 1000
    shop.attempts(Gateway(before=refuse(999_999))).work_once()
    assert shop.operations("next_attempt_at - created_at") == [(shop.settings.give_up_seconds,)]


def test_worker_outlives_a_database_that_is_away():
    """Each failure in a row doubles the rest, up to five minutes; the first success ends that."""
    outcomes = iter([OperationalError("", {}, Exception())] * 9 + [False, True])

    def work():
        outcome = next(outcomes)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    worker = Worker(work, 5)
    with capture_logs() as lines:
        rests = [worker.step() for _ in range(11)]
    assert rests == [10, 20, 40, 80, 160, LONGEST_REST_SECONDS, *[LONGEST_REST_SECONDS] * 3, 5, 0]
    assert [line["event"] for line in lines] == ["worker_failed"] * 9


def test_worker_waits_for_the_database(shop, owner):
    """While another holds the table nothing is done, and the work is not lost."""
    pending(shop)
    shop.ahead = 10
    worker = Worker(shop.attempts().work_once, 5)
    with owner.begin() as blocker:
        if owner.name == "postgresql":
            blocker.exec_driver_sql("LOCK TABLE operations")
        with capture_logs() as lines:
            assert worker.step() == 10
    assert [line["event"] for line in lines] == ["worker_failed"]
    assert (worker.step(), worker.step()) == (0, 5)
    assert shop.operations("status") == [("succeeded",)]


def test_idle_worker_writes_nothing(shop):
    """With nothing due, the worker takes no lock that a request would wait for."""
    with shop.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE operations SET attempts = 1")
        assert shop.attempts().work_once() is False


def test_worker_thread_works_until_it_is_stopped(shop):
    """The thread does what is due, rests, and ends at once when told to."""
    pending(shop, times=3)
    shop.ahead = 10
    with run_worker(Worker(shop.attempts().work_once, 0.05)):
        until(lambda: shop.operations("status") == [("succeeded",)] * 3)
    assert "worker" not in {thread.name for thread in threading.enumerate()}


def test_stop_does_not_wait_for_stripe():
    """A step that hangs holds the shutdown up for a second at most."""
    begun, go_on = threading.Event(), threading.Event()

    def hang():
        begun.set()
        go_on.wait(60)
        return False

    worker = Worker(hang, 0.01)
    worker.start()
    begun.wait(60)
    started = time.monotonic()
    worker.stop()
    assert time.monotonic() - started < 30
    go_on.set()


def test_backlog_counts_what_is_unfinished(shop):
    """The number of pending operations and the age of the oldest are known."""

    def left(now):
        with shop.engine.connect().execution_options(read_only=True) as connection:
            return queue.count_backlog(connection, now)

    assert left(int(time.time())) == Backlog(0, 0)
    pending(shop, times=2)
    shop.post("/customers")
    created = min(created for created, status in shop.operations("created_at, status") if status == "pending")
    assert left(created + 60) == Backlog(2, 60)
    assert left(created - 60) == Backlog(2, 0)


def test_operator_sees_what_is_pending(shop, addresses, monkeypatch, capsys):
    """The command lists operations, all or of one status, and how much is pending."""
    monkeypatch.setenv("BILLING_DATABASE_URL", addresses.service)
    (operation_id,) = pending(shop)
    shop.post("/customers")
    capsys.readouterr()
    assert show_operations(None) == 0
    *lines, total = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert total.startswith("pending: 1; oldest: ")
    assert show_operations(Status.PENDING) == 0
    line, _ = capsys.readouterr().out.splitlines()
    words = line.split()
    assert words[:3] == [operation_id, "create_customer", "pending"]
    assert words[4] == "attempts=1"
    assert words[6] == OUTAGE
    assert [word.partition("=")[0] for word in (words[3], words[5])] == ["age", "next"]
    assert build_parser().parse_args(["operations", "--status", "given_up"]).status == Status.GIVEN_UP


def test_worker_keeps_the_chain_of_the_audit_log(shop):
    """What the worker records is in the same chain as the rest."""
    pending(shop, times=3)
    shop.work(ahead=10)
    with shop.engine.connect().execution_options(read_only=True) as connection:
        assert shop.audit.verify(connection).records == 9
