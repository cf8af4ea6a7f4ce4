"""The payment flows that come with Payproof: each comes, at the double, to the states that it says."""

import asyncio
from time import time

import pytest

from payproof.adapters.data import data_folder
from payproof.adapters.upstream.backends import DoubleBackend
from payproof.domain.flow import Act
from payproof.domain.subject import Subject
from payproof.errors import ConfigurationError, InconclusiveError
from payproof.language import read_flows
from payproof.session import all_flows, all_scenarios
from payproof.session.account import ApiAccount
from payproof.steps.play import Play
from payproof.stripe.double import Double
from payproof.stripe.flows import Player, play
from tests.double import NEWEST, OLDEST

NOBODY = Subject()
PRICES = ("price_team", "price_business")


def backend(api_version=NEWEST, prices=PRICES):
    """Return a double that knows some prices."""
    double = Double(data_folder("fixtures"), clock=time, seed=1, api_version=api_version)
    for number, price in enumerate(prices, start=1):
        double.hooks.sell(price, amount=1000 * number, currency="usd", recurring=True)
    return DoubleBackend(double)


def account(api_version=NEWEST, prices=PRICES):
    """Return an account at such a double."""
    return ApiAccount(backend(api_version, prices), prices)


async def played(flow, at, known=NOBODY):
    """Play a flow to its end; return where Stripe's state is not what the flow says, and all events."""
    player = Player.ending(at, flow, known, flow.moments, int(time()))
    await player.begin()
    wrong, events = [], []
    for moment in flow.moments:
        for act in moment.acts:
            await play(player, act)
        events += await player.take_events()
        wrong += filter(None, [player.find_difference(moment, await player.read_state())])
    return wrong, events


@pytest.mark.parametrize("api_version", [OLDEST, NEWEST])
@pytest.mark.parametrize("name", all_flows())
def test_flow_comes_to_its_states(name, api_version):
    """Each moment of each flow finds Stripe's objects as the flow says, in both shapes of the API."""
    wrong, events = asyncio.run(played(all_flows()[name], account(api_version)))
    assert wrong == []
    assert all(event.api_version == api_version for event in events)
    created = [event.content["created"] for event in events]
    assert created == sorted(created)
    assert created[-1] <= time()


def test_flow_is_about_the_customer_that_a_target_knows():
    """Every event of a customer names the known one, and the subscription is a new one each time."""
    at, known = account(), Subject(ids={"cus": "cus_known"}, email="known@example.test", metadata={"user": "17"})
    lives = [asyncio.run(played(all_flows()["renewal"], at, known))[1] for _ in range(2)]
    customers = {event.content["data"]["object"].get("customer") for life in lives for event in life}
    assert customers - {None} == {"cus_known"}
    made = [event for life in lives for event in life if event.type == "customer.subscription.created"]
    assert len({event.object_id for event in made}) == 2
    assert all(event.content["data"]["object"]["metadata"] == {"user": "17"} for event in made)


def test_events_of_others_are_left_out():
    """What happens to another customer of the account meanwhile is none of the flow's."""
    at = account()
    asyncio.run(played(all_flows()["cancel_now"], at))
    _, events = asyncio.run(played(all_flows()["renewal"], at))
    assert "customer.subscription.deleted" not in {event.type for event in events}


def test_scenarios_name_flows_and_moments_that_there_are():
    """Each case of the topic plays a known flow up to a known moment, and has one before it."""
    steps = [
        step
        for scenario in all_scenarios()
        if scenario.topic == "payment_flows"
        for case in scenario.cases
        for step in case.phase.steps
        if isinstance(step, Play)
    ]
    assert steps
    assert all(len(all_flows()[step.flow].until(step.until)) > 1 for step in steps)


def test_every_flow_is_played_by_a_scenario():
    """A flow that no scenario plays would be a hole; that of a refund that fails is for `payproof flow` alone."""
    cases = [case for one in all_scenarios() if one.topic == "payment_flows" for case in one.cases]
    played_by = {step.flow for case in cases for step in case.phase.steps if isinstance(step, Play)}
    assert all_flows().keys() - played_by == {"refund_fails"}


def test_flow_says_what_it_does_not_know():
    """An unknown moment is named together with those that there are."""
    with pytest.raises(ValueError, match="no moment 'sold', but active, renewed"):
        all_flows()["renewal"].until("sold")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("title: a", "no payment flow"),
        ("{title: a, source: b, moments: {c: {do: [dance]}}}", "no act 'dance'"),
        ("{title: a, source: b, moments: {c: {do: [{advance: {years: 1}}]}}}", "advance has no 'years'"),
    ],
)
def test_wrong_flow_is_refused(tmp_path, text, why):
    """A file that is no flow, or names what there is not, is a mistake of that file."""
    (tmp_path / "wrong.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=why):
        read_flows(tmp_path)


def test_what_stripe_refuses_ends_a_flow():
    """An act that Stripe does not let happen says so in Stripe's words."""

    async def resumed():
        player = Player.ending(account(), all_flows()["renewal"], Subject(), (), int(time()))
        await player.begin()
        await play(player, Act("create_customer"))
        await play(player, Act("subscribe"))
        await play(player, Act("resume"))

    with pytest.raises(InconclusiveError, match="only resume a subscription"):
        asyncio.run(resumed())


def test_second_price_must_be_known():
    """A change to a price that the target does not know is not made up."""
    with pytest.raises(InconclusiveError, match="names 1 recurring prices only"):
        asyncio.run(played(all_flows()["change_of_price"], account(prices=PRICES[:1])))
