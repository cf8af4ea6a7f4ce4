import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof_reference.services.state.entitlement import Terms, is_entitled
from payproof_reference.settings import ListedPlan

NOW = 1_800_000_000
PLANS = {"price_1": ListedPlan(amount=1000, currency="usd")}
GOOD = {
    "status": "active",
    "price_id": "price_1",
    "unit_amount": 1000,
    "currency": "usd",
    "current_period_end": NOW + 1,
    "cancel_at_period_end": False,
    "customer_deleted": False,
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"status": "trialing"},
        {"unit_amount": 1001},
        {"unit_amount": None, "currency": None},
        {"cancel_at_period_end": True},
        {"cancel_at_period_end": True, "current_period_end": None},
        {"current_period_end": NOW - 1},
    ],
)
def test_paid_plan_is_granted(changes):
    """A plan is granted while it is paid for or tried, at its price or more, until a cancelled period ends."""
    assert is_entitled(Terms(**GOOD | changes), PLANS, NOW)


@pytest.mark.parametrize(
    "changes",
    [
        *({"status": status} for status in ("past_due", "unpaid", "canceled", "incomplete", "incomplete_expired")),
        {"status": "paused"},
        {"status": ""},
        {"price_id": "price_2"},
        {"price_id": None},
        {"unit_amount": 999},
        {"unit_amount": 0},
        {"unit_amount": -1000},
        {"currency": "jpy"},
        {"unit_amount": 10**9, "currency": "vnd"},
        {"cancel_at_period_end": True, "current_period_end": NOW},
        {"customer_deleted": True},
    ],
)
def test_what_is_not_paid_grants_nothing(changes):
    """Another status, an unknown price, too little, another currency, an end or a deletion each suffice."""
    assert not is_entitled(Terms(**GOOD | changes), PLANS, NOW)


@given(
    st.builds(
        Terms,
        status=st.sampled_from(["active", "trialing", "past_due", "canceled"]),
        price_id=st.sampled_from(["price_1", "price_2", None]),
        unit_amount=st.none() | st.integers(-(10**12), 10**12),
        currency=st.sampled_from(["usd", "eur", None]),
        current_period_end=st.none() | st.integers(0, 10**11),
        cancel_at_period_end=st.booleans(),
        customer_deleted=st.booleans(),
    )
)
def test_nothing_is_granted_without_plans(terms):
    """Whatever a subscription is, it grants nothing where the operator listed no plan."""
    assert not is_entitled(terms, {}, NOW)
