import asyncio
import json
from dataclasses import dataclass, field, replace

import pytest

from payproof.adapters.commands import LocalCommands
from payproof.adapters.outages import LocalOutages
from payproof.at_rest.leak_finder import LocalLeakFinder
from payproof.canary import Ledger
from payproof.domain.control import ControlEvent, ControlEvents
from payproof.domain.observation import Answer, Exchange, Sent
from payproof.domain.sensitive import Secret
from payproof.domain.source import Excerpt, Snapshot
from payproof.domain.subject import Subject
from payproof.domain.target import Contract, Environment, SourceSpec, Target, Webhook
from payproof.domain.verdict import Errored, Failed, Passed
from payproof.engine.calibrator import USUAL_TYPES
from payproof.engine.equipment import Equipment
from payproof.engine.judge import judge, refuse_without_effect
from payproof.engine.runner import Runner
from payproof.engine.search_at_rest import SearchAtRest
from payproof.errors import Reason
from payproof.registry import table_sources
from payproof.session import all_scenarios, choose, event_factory
from payproof.session.calibrating import DELIVERIES
from tests.unit.test_trial import FakeClock

TYPES = ("charge.captured", "charge.expired", "customer.tax_id.created", *USUAL_TYPES)
CASES = {case.id: (scenario, case) for scenario, case in choose(all_scenarios(), topics=["webhook_signature"])}


@dataclass
class Shop:
    """A shop in memory that sets a state for what it handles; it is its own store and log."""

    clock: FakeClock
    handles: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    takes: float = 0.0
    afterthought: float | None = None
    dedupes: bool = False
    journal: bool = False
    journal_of_state: bool = False
    logs: str = "ids"
    refuses: int = 0
    name: str = "shop"

    def __post_init__(self):
        self.due, self.lines, self.requests = [], [], []

    async def send(self, request, step):
        """Take a delivery."""
        self.requests.append(request)
        self.clock.now += self.takes
        genuine = request.variant == "valid"
        try:
            event = json.loads(request.body)
        except ValueError:
            event = {}
        at = self.clock.now + self.delay
        number = len(self.requests)
        if self.journal:
            self.due.append((at, "journal", str(number), "arrived"))
        status = 200 if genuine else 400
        if self.logs in {"ids", "lines"} or (self.logs == "refusals" and not genuine):
            self.lines.append(f"{event.get('id', 'nothing') if self.logs == 'ids' else 'POST /hook'} {status}")
        if genuine and event["type"] in self.handles:
            if self.dedupes:
                self.due.append((at, "seen", event["id"], event["type"]))
            key = number if self.journal_of_state else event["data"]["object"].get("customer") or "nobody"
            state = self.handles[event["type"]].format(status=event["data"]["object"].get("status"))
            self.due.append((at, "users", str(key), state))
            if self.afterthought is not None:
                self.due.append((at + self.afterthought, "users", str(key), f"{state} at {at}"))
        elif genuine and self.refuses:
            status = self.refuses
        return Exchange(
            step,
            Sent("POST", "https://t.example/hook", request.note, 0, "", request.variant, event=request.event),
            Answer(status, (), "", 0, 0.01),
        )

    async def snapshot(self, _ids, before):
        """Return the rows that are there by now."""
        tables = {"users": {}, "seen": {}, "journal": {}}
        for when, table, key, value in self.due:
            if when <= self.clock.now:
                tables[table][key] = value
        rows = {table: {f"{key} {value}".encode(): 1 for key, value in of.items()} for table, of in tables.items()}
        old = {} if before is None else before.tables
        fresh = [Excerpt(table, row) for table, of in rows.items() for row in of if row not in old.get(table, {})]
        return Snapshot(rows, tuple(fresh))

    async def position(self):
        """Return the number of lines."""
        return len(self.lines)

    async def since(self, position):
        """Yield the lines behind a position."""
        for line in self.lines[position:]:
            yield Excerpt("line", line.encode())

    async def close(self):
        """Do nothing."""


class Bench:
    """A runner on a shop."""

    def __init__(self, handles, *, contract=None, control=None, subject=None, **shop):
        self.clock = FakeClock()
        self.shop = Shop(self.clock, dict(handles), **shop)
        target = Target(
            "t",
            "https://t.example",
            Environment.LOCAL,
            Webhook("/hook", Secret("webhook secret", "whsec_" + "made_up_0123"), "2022-11-15"),
            stores=(SourceSpec("shop", "x:"),),
            logs=(SourceSpec("shop", "x:"),),
            contract=contract or Contract(rejected=frozenset({400}), effect_within=2.0),
            control=control,
            subject=subject or Subject({"cus": "cus_known"}),
        )
        ledger = Ledger()
        equipment = Equipment(
            sender=self.shop,
            events=event_factory(1),
            ledger=ledger,
            clock=self.clock,
            at_rest=SearchAtRest(
                target, open_tables=table_sources()["sqlite"], finder=LocalLeakFinder(()), ledger=ledger
            ),
            commands=LocalCommands(),
            outages=LocalOutages(None),
        )
        self.runner = Runner(target, equipment, stores=[self.shop], logs=[self.shop], seed=1)

    def meet(self, types=TYPES):
        """Calibrate; return what was learnt."""
        asyncio.run(self.runner.meet(types, DELIVERIES))
        return self.runner.target.calibration

    def judged(self, id_):
        """Run a case and judge it."""
        scenario, case = CASES[id_]
        refused = refuse_without_effect(self.runner.target, scenario, case)
        if refused is not None:
            return refused
        record = asyncio.run(self.runner.run(scenario, case))
        return judge(self.runner.target.contract, scenario, case, record)


PAID = {"invoice.paid": "paid", "customer.subscription.deleted": "ended"}


@pytest.mark.parametrize("delay", [0.05, 0.15])
def test_an_effect_after_the_answer_is_not_that_of_the_next_event(delay):
    """What shows only when the next events have been delivered is put down to the one that has it alone."""
    handles = {"customer.subscription.updated": "{status}", "charge.captured": "captured"}
    bench = Bench(handles, delay=delay, takes=0.04, dedupes=True)
    assert sorted(bench.meet().handled) == sorted(handles)


@pytest.mark.parametrize("afterthought", [0.0, 0.05, 0.3])
def test_a_second_effect_is_not_that_of_the_next_event(afterthought):
    """What a target changes once more, later, is none of the events that are tried behind."""
    bench = Bench({"customer.subscription.updated": "{status}"}, takes=0.02, afterthought=afterthought)
    assert bench.meet().handled == ("customer.subscription.updated",)


@pytest.mark.parametrize("delay", [0.0, 0.7])
def test_handled_types_are_told_from_the_others(delay):
    """What a target handles is learnt, at once or late, and what it does not handle needs no effect then."""
    bench = Bench(PAID, dedupes=True, delay=delay)
    assert set(bench.meet().handled) == set(PAID)
    assert set(bench.runner.target.contract.handles) == set(PAID)
    assert isinstance(bench.judged("webhook_signature/valid[invoice.paid]"), Passed)
    ignored = bench.judged("webhook_signature/valid[charge.expired]")
    assert isinstance(ignored, Passed)
    assert ignored.notes == ("not handled by the target",)
    assert isinstance(bench.judged("webhook_signature/missing[no_header]"), Passed)


def test_late_effects_without_ids_are_found_by_delivering_again():
    """A change that comes late and holds no id belongs to the type that makes it again when it is delivered alone."""
    bench = Bench({"customer.subscription.updated": "{status}", "invoice.paid": "paid"}, delay=0.7)
    bench.meet()
    assert "customer.subscription.updated" in bench.runner.target.contract.handles


def test_a_pinned_type_without_effect_fails():
    """What the target file says is handled must have an effect, whatever the target does today."""
    contract = Contract(rejected=frozenset({400}), effect_within=2.0, handles=("charge.*", "invoice.paid"))
    bench = Bench({"invoice.paid": "paid"}, contract=contract, dedupes=True)
    bench.meet()
    assert isinstance(bench.judged("webhook_signature/valid[charge.expired]"), Failed)
    assert isinstance(bench.judged("webhook_signature/valid[invoice.paid]"), Passed)


def test_events_that_undo_each_other_take_turns():
    """Where no type has an effect a second time, two that undo each other are the control, and take turns."""
    bench = Bench(PAID | {"customer.subscription.updated": "active"})
    bench.meet()
    turns = bench.runner.target.control.turns
    assert {one.event for one in turns} == {"customer.subscription.deleted", "customer.subscription.updated"}
    for id_ in ("missing[no_header]", "missing[empty_header]", "valid[compact_body]"):
        assert isinstance(bench.judged(f"webhook_signature/{id_}"), Passed), id_


def test_a_state_that_says_the_status_is_its_own_control():
    """A subscription's status that changes to and fro is a control of one type."""
    bench = Bench({"customer.subscription.updated": "{status}"})
    bench.meet()
    assert [one.event for one in bench.runner.target.control.turns] == ["customer.subscription.updated"] * 2
    assert isinstance(bench.judged("webhook_signature/missing[no_header]"), Passed)


@pytest.mark.parametrize("handles", [{}, {"charge.expired": "once"}])
def test_without_an_effect_nothing_is_judged(handles):
    """A target of which no event shows an effect each time has no control: errored, whatever it answers."""
    bench = Bench(handles)
    bench.meet()
    for id_ in ("missing[no_header]", "valid[charge.captured]", "valid[charge.expired]"):
        verdict = bench.judged(f"webhook_signature/{id_}")
        assert isinstance(verdict, Errored)
        assert verdict.reason is Reason.CONTROL_FAILED
        assert "[subject]" in verdict.detail


@pytest.mark.parametrize(("ignores", "status", "kind"), [
    (None, 200, "passed"), (None, 404, "passed"), (None, 500, "failed"),
    ("2xx", 400, "failed"), ("2xx", 200, "passed"), ("4xx", 200, "failed"), ("4xx", 404, "passed"),
])  # fmt: skip
def test_other_types_are_judged_by_what_the_contract_allows(ignores, status, kind):
    """A type that is not handled may be acknowledged or refused, as promised; a failure is one in any case."""
    contract = Contract(rejected=frozenset({400}), effect_within=2.0, ignores=ignores)
    bench = Bench(PAID, contract=contract, dedupes=True, refuses=status)
    bench.meet()
    assert bench.judged("webhook_signature/valid[charge.expired]").kind == kind


@pytest.mark.parametrize(
    ("logs", "shown_by"), [("ids", "ids"), ("lines", "changes"), ("refusals", "refusals"), ("none", "")]
)
def test_a_log_is_shown_by_ids_or_by_lines_that_come_with_requests(logs, shown_by):
    """A log without ids is the right one where a line comes with each request, or each refusal; a silent one is not."""
    bench = Bench(PAID, dedupes=True, logs=logs)
    assert {one.channel.value: one.shown_by for one in bench.meet().marks} == {"store": "ids", "log": shown_by}
    assert [one.channel.value for one in bench.runner.unwatched] == ([] if shown_by else ["log"])


def test_a_store_of_states_without_ids_is_shown_by_its_changes():
    """A store that names no event is the right one as it changes with them, and is still otherwise."""
    bench = Bench(PAID | {"customer.subscription.updated": "active"})
    assert {one.channel.value: one.shown_by for one in bench.meet().marks}["store"] == "changes"


def test_a_store_that_only_unusual_events_change_is_shown_by_them():
    """Where none of the events that are tried first has an effect, those that are tried later show the store."""
    bench = Bench({"charge.dispute.funds_withdrawn": "lost"}, dedupes=True)
    assert {one.channel.value: one.shown_by for one in bench.meet(()).marks}["store"] == "ids"
    assert not bench.runner.unwatched


def test_a_journal_of_deliveries_holds_no_state():
    """A table that gains a row of rubbish too is a journal: no accepted forgery, and no effect."""
    bench = Bench(PAID, dedupes=True, journal=True)
    found = bench.meet()
    assert found.journals == ("shop.journal",)
    assert set(found.handled) == set(PAID)
    assert isinstance(bench.judged("webhook_signature/missing[no_header]"), Passed)


def test_a_table_that_grows_with_genuine_events_alone_is_no_journal():
    """A state that is added to with each copy of a delivery is no journal: rubbish and forgeries add nothing to it."""
    bench = Bench(PAID, journal_of_state=True)
    assert bench.meet().journals == ()
    assert isinstance(bench.judged("webhook_signature/valid[invoice.paid]"), Failed)


def test_what_the_file_pins_is_not_learnt():
    """With the control and what is handled in the target file, one delivery is made and no more."""
    contract = Contract(rejected=frozenset({400}), handles=("invoice.paid",))
    bench = Bench(PAID, contract=contract, control=ControlEvents(ControlEvent("invoice.paid")), dedupes=True)
    assert bench.meet().reactions == ()
    assert len(bench.shop.requests) == 1


def test_a_control_is_looked_for_among_all_types_where_no_usual_one_will_do():
    """A run of few cases finds the same control as a run of all."""
    bench = Bench({"refund.updated": "refunded"}, dedupes=True)
    bench.meet(())
    assert [one.event for one in bench.runner.target.control.turns] == ["refund.updated"]


def test_types_are_learnt_when_a_case_names_them():
    """A type that was not tried before is tried once a case names it, and not again."""
    bench = Bench(PAID, dedupes=True)
    bench.meet(())
    assert "charge.expired" not in {one.event for one in bench.runner.target.calibration.reactions}
    asyncio.run(bench.runner.learn(["charge.expired"], DELIVERIES))
    sent = len(bench.shop.requests)
    asyncio.run(bench.runner.learn(["charge.expired", "invoice.paid"], DELIVERIES))
    assert len(bench.shop.requests) == sent
    assert "charge.expired" in {one.event for one in bench.runner.target.calibration.reactions}
    assert set(bench.runner.target.contract.handles) == set(PAID)


def test_an_undecided_type_is_skipped_with_the_line_that_helps():
    """A type of which nothing was found out is neither held nor failed."""
    bench = Bench(PAID, dedupes=True)
    bench.meet()
    calibration = replace(bench.runner.target.calibration, unclear=frozenset({"charge.expired"}))
    target = replace(bench.runner.target, calibration=calibration)
    (step, *_) = CASES["webhook_signature/valid[charge.expired]"][1].phase.steps
    gap = step.unfit(target)
    assert "handles of [contract]" in gap.why
    assert gap.wants == ("[contract] handles",)


@pytest.mark.parametrize("type_", ["checkout.session.completed", "invoice.paid", "customer.subscription.updated"])
def test_events_are_about_the_subject(type_):
    """The subject's ids, metadata and texts stand in every nested object, and nothing else is changed."""
    subject = Subject({"cus": "cus_known", "price": "price_known"}, email="tester@example.test", reference="17",
                      metadata={"user_id": "17"})  # fmt: skip
    bench = Bench({}, subject=subject)
    asyncio.run(DELIVERIES.genuine(ControlEvent(type_)).run(bench.runner.trial("t").context))
    text = bench.shop.requests[-1].body.decode()
    event = json.loads(text)
    assert event["data"]["object"]["customer"] == "cus_known"
    assert event["data"]["object"]["metadata"]["user_id"] == "17"
    if type_ == "checkout.session.completed":
        assert event["data"]["object"]["client_reference_id"] == "17"
        assert event["data"]["object"]["customer_details"]["email"] == "tester@example.test"
    else:
        assert '"price_known"' in text
