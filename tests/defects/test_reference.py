import pytest

from payproof.domain.events import CaseFinished
from payproof.domain.verdict import Passed, Skipped
from payproof.reporters.phrasing import summary
from payproof.session import all_scenarios, choose, event_factory, open_lanes
from payproof.session.upstream import known_faults
from payproof.stripe.forgeries import FORGERIES

#: What the reference service cannot show, by why: it is no endpoint of live mode, one API version is its webhook's own,
#: and SQLite has neither a server nor roles that could fail.
NOT_SHOWN = {
    "sqlite": ("livemode of [webhook]", "the API version of the webhook itself", "nothing in [store_faults."),
    "postgresql": ("livemode of [webhook]", "the API version of the webhook itself"),
}
TOPICS = sorted({scenario.id.partition("/")[0] for scenario in all_scenarios()})


@pytest.mark.thorough  # on SQLite it is what `make demo` shows
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
@pytest.mark.parametrize("topic", TOPICS)
def test_the_reference_passes_every_case(topic, store):
    """On the reference service, on either database, every case passes that it can show; the few others are known."""
    choices = choose(all_scenarios(), topics=[topic])
    with open_lanes(2, store=store) as lanes:
        finished = [event for event in lanes.run(choices) if isinstance(event, CaseFinished)]
    others = [
        f"{one.id}: {one.verdict.kind}: {summary(one.verdict)}"
        for one in finished
        if not isinstance(one.verdict, Passed)
        and not (isinstance(one.verdict, Skipped) and any(why in one.verdict.why for why in NOT_SHOWN[store]))
    ]
    assert [one.id for one in finished] == [case.id for _, case in choices]
    assert not others, "\n".join(others)
    assert sum(isinstance(one.verdict, Passed) for one in finished) > 0.9 * len(finished)


def test_valid_delivers_every_event_type():
    """The scenario `valid` has a case for every event type that there are templates for."""
    factory = event_factory(0)
    (valid,) = [scenario for scenario in all_scenarios() if scenario.id == "webhook_signature/valid"]
    delivered = {
        step.event for case in valid.cases for step in case.phase.steps if step.name == "deliver" and step.event
    }
    assert delivered == {type_ for version in factory.versions() for type_ in factory.types(version)}


def test_every_forgery_is_delivered():
    """No forgery lies idle: each is delivered by a case of the scenario that its name names."""
    delivered = {
        (scenario.id.partition("/")[2], step.signature)
        for scenario in all_scenarios()
        for case in scenario.cases
        for step in case.phase.steps
        if step.name == "deliver"
    }
    assert {(name.partition(".")[0], name) for name in FORGERIES} <= delivered


def test_every_fault_strikes():
    """No fault and no error of Stripe's lies idle: each strikes in some case, and each that a case names is known."""
    used = {
        fault
        for scenario in all_scenarios()
        for case in scenario.cases
        for step in case.phase.steps
        if step.name == "operate"
        for fault in step.faults
    }
    assert used == known_faults(event_factory(0).versions()[-1])
