import asyncio

import pytest

from payproof.adapters.commands import LocalCommands
from payproof.adapters.outages import LocalOutages
from payproof.at_rest.leak_finder import LocalLeakFinder
from payproof.canary import Ledger
from payproof.checks.accepted import Accepted
from payproof.checks.called import Called
from payproof.checks.done_once import DoneOnce
from payproof.domain.finding import Severity
from payproof.domain.observation import Answer, Exchange, Sent, StripeCalls
from payproof.domain.operation import Operation, OperationContract, Principal
from payproof.domain.scenario import Case, Phase, Requirement, Scenario
from payproof.domain.sensitive import Secret
from payproof.domain.stripe_call import KeyKind, StripeCall
from payproof.domain.target import Contract, Environment, Target, Webhook
from payproof.domain.verdict import Errored, Failed, Passed
from payproof.engine.equipment import Equipment
from payproof.engine.judge import judge
from payproof.engine.runner import Runner
from payproof.engine.search_at_rest import SearchAtRest
from payproof.errors import InconclusiveError, Reason
from payproof.registry import table_sources
from payproof.session import event_factory
from payproof.steps.operate import Operate
from payproof.steps.prepare import Prepare
from payproof.steps.recover import Recover
from tests.unit.test_trial import FakeClock

MANAGER = Principal("manager", Secret("token", "token-0123456789"), header="X-Key", scheme="")
OPERATIONS = {
    "create_customer": Operation(
        "create_customer", "POST", "/customers", "POST /v1/customers", MANAGER, {}, keep={"customer": "made.0.id"}
    ),
    "subscribe": Operation(
        "subscribe",
        "POST",
        "/of/{customer}",
        "POST /v1/subscriptions",
        MANAGER,
        {"for": ["{customer}", 7], "price": "{price}"},
        ("create_customer",),
    ),
}
MADE = b'{"made": [{"id": "cus_1"}]}'.decode()


class FakeWorld:
    """A target, its upstream and a second to pass: calls Stripe once for each request, and later what it promised."""

    def __init__(self, clock, *, made=MADE, made_status=201, calls=True, unknown=False, later=None, trouble=""):
        self.clock, self.made, self.made_status = clock, made, made_status
        self.does_call, self.unknown, self.later, self.trouble = calls, unknown, later, trouble
        self.requests, self.armed, self.recorded = [], [], []
        self.promised: list[float] = []

    async def send(self, request, step):
        self.requests.append(request)
        sent = Sent("POST", "https://t.example", request.note, 0, "", request.variant, request.calls)
        if request.target == "/customers":
            return Exchange(step, sent, Answer(self.made_status, (), self.made, 0, 0.01))
        struck = bool(self.armed)
        if self.does_call:
            self.call(struck)
        if struck and self.later is not None:
            self.promised.append(self.clock.now + self.later)
        status = (503 if self.later is None else 202) if struck else 201
        return Exchange(step, sent, Answer(status, (), "{}", 2, 0.01))

    def call(self, struck):
        fault = self.armed[0].name if struck else ""
        status = 503 if struck else 200
        self.recorded.append(
            StripeCall(
                len(self.recorded), "POST", "/v1/subscriptions", (), (), "d", KeyKind.TEST, self.clock.now,
                idempotency_key="k", fault=fault, spoiled=struck, status=status,
                backend_status=None if struck else status, unknown=self.unknown,
            )
        )  # fmt: skip

    def arm(self, troubles, random, conceal):
        self.armed = list(troubles)

    def count_calls(self):
        return len(self.recorded)

    def calls(self, since):
        for due in [when for when in self.promised if when <= self.clock.now and not self.armed]:
            self.promised.remove(due)
            self.call(struck=False)
        return tuple(self.recorded[since:])

    def connections(self, since):
        return ()

    def take_in(self, event):
        pass

    def take_caused_events(self):
        return ()

    def check(self):
        if self.trouble:
            raise InconclusiveError(Reason.UPSTREAM_FAILED, self.trouble)

    def hint(self):
        return "" if self.recorded else "set the base"


CONTROL = Phase((Prepare("charging"), Operate("charging")), (Accepted(), Called()))
OUTAGE = Phase(
    (Prepare("charging"), Operate("charging", ("server_error",), lasting=True), Recover()), (Called(), DoneOnce())
)
CASE = Case("t/s[c]", "c", OUTAGE, needs=("upstream", "charging"))
SCENARIO = Scenario("t/s", "A rule", Severity.HIGH, (Requirement("R", "It must."),), CONTROL, (CASE,), {})
TARGET = Target(
    "t",
    "https://t.example",
    Environment.LOCAL,
    Webhook("/hook", Secret("s", "whsec_0123456789"), "2025-03-31.basil"),
    contract=Contract(effect_within=5.0, operations=OperationContract(completed_within=40.0)),
    operations=OPERATIONS,
)


def run(**world):
    """Run the case; return the verdict, the record and the world."""
    clock = FakeClock()
    made = FakeWorld(clock, **world)

    async def ran():
        ledger = Ledger()
        equipment = Equipment(
            sender=made, events=event_factory(1), ledger=ledger, clock=clock,
            at_rest=SearchAtRest(
                TARGET, open_tables=table_sources()["sqlite"], finder=LocalLeakFinder(()), ledger=ledger,
            ),
            commands=LocalCommands(), outages=LocalOutages(None), upstream=made,
        )  # fmt: skip
        runner = Runner(TARGET, equipment, stores=(), logs=(), seed=1)
        return await runner.run(SCENARIO, CASE)

    record = asyncio.run(ran())
    return judge(TARGET.contract, SCENARIO, CASE, record), record, made


def test_an_operation_is_asked_for_with_what_was_kept():
    """What comes before is performed first, and its ids stand in path and body; the principal's header carries it."""
    verdict, _, world = run()
    assert isinstance(verdict, Passed)
    first, second = world.requests[:2]
    assert (first.target, second.target) == ("/customers", "/of/cus_1")
    assert second.body == b'{"for": ["cus_1", 7], "price": "{price}"}'
    assert (b"X-Key", b"token-0123456789") in second.headers
    assert (first.calls, second.calls) == ("", "POST /v1/subscriptions")
    assert "cus_1" in second.ids
    assert "token-" not in repr(second)


def test_what_was_promised_is_waited_for_at_the_end():
    """What is done long after Stripe's return, within the contract's time, is seen; what comes later is not."""
    verdict, record, _ = run(later=35.0)
    assert isinstance(verdict, Passed)
    steps = [(one.step, len(one.calls)) for one in record.observations if isinstance(one, StripeCalls)]
    assert steps == [(0, 0), (1, 1), (2, 1)]
    late, _, _ = run(later=60.0)
    assert isinstance(late, Failed)
    assert late.findings[0].check == "done_once"


def test_faults_end_with_the_step_that_recovers():
    """A phase begins and ends without faults, whatever the one before had armed."""
    _, _, world = run()
    assert world.armed == []


def test_a_target_that_never_calls_is_told_how():
    """Without a single call the control fails, with how it was answered and what is to be set."""
    verdict, _, _ = run(calls=False)
    assert verdict == Errored(Reason.CONTROL_FAILED, "the operation was answered: status 201, status 201; set the base")


def test_what_the_double_does_not_know_is_no_proof():
    """A call that the backend does not offer makes the case unknown, whatever the target made of it."""
    verdict, _, _ = run(unknown=True)
    assert isinstance(verdict, Errored)
    assert (verdict.reason, "does not know POST /v1/subscriptions" in verdict.detail) == (Reason.UPSTREAM_FAILED, True)


def test_an_upstream_that_fails_is_not_the_targets_fault():
    """What goes wrong in the upstream ends the case as unknown."""
    verdict, _, _ = run(trouble="gone")
    assert verdict == Errored(Reason.UPSTREAM_FAILED, "gone")


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ({"made_status": 500}, "operation create_customer was answered 500 while Stripe was working"),
        ({"made": "no JSON"}, "the answer to operation create_customer has no 'made.0.id'"),
        ({"made": '{"made": []}'}, "which is to be kept as 'customer'"),
        ({"made": '{"made": [{"id": {}}]}'}, "which is to be kept as 'customer'"),
    ],
)
def test_what_cannot_be_prepared_is_unknown(world, said):
    """Where what comes before an operation does not succeed, nothing is said of the operation."""
    verdict, _, _ = run(**world)
    assert isinstance(verdict, Errored)
    assert verdict.reason is Reason.PREPARATION_FAILED
    assert said in verdict.detail
