"""Test clocks of the double, and the billing that time drives on them."""

import pytest

from tests.double import NEWEST, OLDEST, Driver

DAY = 86_400
BEGIN = 1_700_000_000


class Customer:
    """A customer on a test clock that stands at ``BEGIN``, with a card."""

    def __init__(self, call: Driver, card: str = "pm_card_visa") -> None:
        self.call, self.now = call, BEGIN
        self.clock = call("POST /v1/test_helpers/test_clocks", frozen_time=BEGIN, name="a life")["id"]
        self.id = call("POST /v1/customers", test_clock=self.clock)["id"]
        if card:
            self.use(card)
        made = {"currency": "usd", "unit_amount": 1000, "recurring": {"interval": "month"}}
        self.price = call("POST /v1/prices", product_data={"name": "Team"}, **made)["id"]

    def use(self, card):
        """Pay by a card from now on."""
        method = self.call(f"POST /v1/payment_methods/{card}/attach", customer=self.id)["id"]
        self.call(f"POST /v1/customers/{self.id}", invoice_settings={"default_payment_method": method})
        return method

    def subscribe(self, **more):
        """Subscribe, and forget the events of it."""
        made = self.call("POST /v1/subscriptions", customer=self.id, items=[{"price": self.price}], **more)
        self.subscription = made["id"]
        self.call.events()
        return made

    def advance(self, days):
        """Move the clock on, and return the types of what happened, with the days since the beginning."""
        self.now += int(days * DAY)
        self.call(f"POST /v1/test_helpers/test_clocks/{self.clock}/advance", frozen_time=self.now)
        events = self.call.double.take_events()
        return [(event.type, (event.content["created"] - BEGIN) / DAY) for event in events]

    @property
    def status(self):
        """What the subscription is at Stripe."""
        return self.call(f"GET /v1/subscriptions/{self.subscription}")["status"]


@pytest.fixture(params=[OLDEST, NEWEST])
def call(request):
    """A double in each shape of the API."""
    return Driver(api_version=request.param)


def test_objects_on_a_clock_have_its_time(call):
    """A customer, a subscription and an invoice name their clock and were made at its time; others go by the wall's."""
    customer = Customer(call)
    made = customer.subscribe()
    invoice = call(f"GET /v1/invoices/{made['latest_invoice']}")
    assert {one["test_clock"] for one in (made, invoice)} == {customer.clock}
    assert {one["created"] for one in (made, invoice)} == {BEGIN}
    assert call("POST /v1/customers")["created"] > BEGIN + 365 * DAY


def test_clock_answers_as_it_advances_and_is_ready_then(call):
    """An advance answers that it is under way; whoever asks after the clock is told the new time."""
    customer = Customer(call)
    path = f"/v1/test_helpers/test_clocks/{customer.clock}"
    assert call(f"POST {path}/advance", frozen_time=BEGIN + DAY)["status"] == "advancing"
    found = call(f"GET {path}")
    assert (found["status"], found["frozen_time"]) == ("ready", BEGIN + DAY)


@pytest.mark.parametrize(("days", "why"), [(0, "must be after"), (-1, "must be after"), (70, "two intervals")])
def test_clock_is_not_moved_back_nor_too_far(call, days, why):
    """Time goes forward, by two periods of the shortest subscription at most."""
    customer = Customer(call)
    customer.subscribe()
    path = f"POST /v1/test_helpers/test_clocks/{customer.clock}/advance"
    status, error = call.refused(path, frozen_time=BEGIN + days * DAY)
    assert status == 400
    assert why in error["message"]


def test_other_clocks_and_the_wall_stand_still(call):
    """What is on another clock, or on none, does not move with a clock."""
    one, other = Customer(call), Customer(call)
    one.subscribe()
    other.subscribe()
    one.advance(31.5)
    assert len(call("GET /v1/invoices", customer=one.id)["data"]) == 2
    assert len(call("GET /v1/invoices", customer=other.id)["data"]) == 1


def test_renewal_is_billed_at_its_time(call):
    """Each event has the time at which it happened, though the clock jumps: an hour after the draft it is paid."""
    customer = Customer(call)
    customer.subscribe()
    happened = customer.advance(32)
    renewed = next(at for type_, at in happened if type_ == "customer.subscription.updated")
    paid = next(at for type_, at in happened if type_ == "invoice.paid")
    assert renewed == 30
    assert paid == pytest.approx(30 + 1 / 24)


def test_failed_renewal_is_retried_and_then_ends(call):
    """A payment that fails is tried again after 3, 5 and 7 days; then the subscription is cancelled."""
    customer = Customer(call)
    customer.subscribe()
    customer.use("pm_card_chargeCustomerFail")
    call.events()
    failed = [round(at) for type_, at in customer.advance(33.5) if type_ == "invoice.payment_failed"]
    assert (failed, customer.status) == ([30, 33], "past_due")
    happened = customer.advance(15)
    assert [round(at) for type_, at in happened if type_ == "invoice.payment_failed"] == [38, 45]
    assert happened[-1][0] == "customer.subscription.deleted"
    ended = call(f"GET /v1/subscriptions/{customer.subscription}")
    assert ended["status"] == "canceled"
    if call.api_version == NEWEST:
        assert ended["cancellation_details"]["reason"] == "payment_failed"


def test_unpaid_subscription_bills_no_more_until_it_is_paid(call):
    """With the dashboard's other setting it is unpaid: its invoices stay drafts, and a payment brings it back."""
    call.double.hooks.prepare(None, "mark_unpaid")
    customer = Customer(call)
    customer.subscribe()
    customer.use("pm_card_chargeCustomerFail")
    customer.advance(50)
    assert customer.status == "unpaid"
    customer.advance(20)
    invoices = call("GET /v1/invoices", customer=customer.id)["data"]
    assert [one["status"] for one in invoices] == ["draft", "open", "paid"]
    call(f"POST /v1/invoices/{invoices[1]['id']}/pay", payment_method=customer.use("pm_card_visa"))
    assert customer.status == "active"


def test_trial_is_billed_with_nothing_and_told_before_it_ends(call):
    """A trial has an invoice of nothing, its end is told three days before, and then it is paid."""
    customer = Customer(call)
    made = customer.subscribe(trial_period_days=14)
    assert call(f"GET /v1/invoices/{made['latest_invoice']}")["amount_due"] == 0
    happened = customer.advance(15)
    assert happened[0] == ("customer.subscription.trial_will_end", 11)
    assert (happened[-1][0], customer.status) == ("invoice.payment_succeeded", "active")


@pytest.mark.parametrize(
    ("behavior", "status", "told"),
    [
        ("cancel", "canceled", "customer.subscription.deleted"),
        ("pause", "paused", "customer.subscription.paused"),
        ("create_invoice", "past_due", "customer.subscription.updated"),
    ],
)
def test_trial_ends_without_a_card_as_it_is_told_to(behavior, status, told):
    """The end of a trial without a card is what ``missing_payment_method`` says."""
    customer = Customer(Driver(), card="")
    customer.subscribe(trial_period_days=14, trial_settings={"end_behavior": {"missing_payment_method": behavior}})
    assert customer.advance(15)[-1][0] == told
    assert customer.status == status


def test_paused_subscription_is_resumed_and_paid():
    """It goes on when it is told to and is paid; one that is not paused cannot be resumed."""
    customer = Customer(call := Driver(), card="")
    customer.subscribe(trial_period_days=14, trial_settings={"end_behavior": {"missing_payment_method": "pause"}})
    customer.advance(15)
    customer.use("pm_card_visa")
    call.events()
    path = f"POST /v1/subscriptions/{customer.subscription}/resume"
    assert call(path)["status"] == "active"
    assert call.events()[-2:] == ["customer.subscription.updated", "customer.subscription.resumed"]
    assert call.refused(path)[0] == 400


@pytest.mark.parametrize(
    ("behavior", "status"), [("void", "void"), ("mark_uncollectible", "uncollectible"), ("keep_as_draft", "draft")]
)
def test_pause_of_the_collection_says_what_becomes_of_invoices(call, behavior, status):
    """While the collection is paused the subscription is active, and its invoices are what the pause says."""
    customer = Customer(call)
    customer.subscribe()
    resumes = BEGIN + 40 * DAY
    path = f"POST /v1/subscriptions/{customer.subscription}"
    call(path, pause_collection={"behavior": behavior, "resumes_at": resumes})
    customer.advance(32)
    assert call("GET /v1/invoices", customer=customer.id)["data"][0]["status"] == status
    assert customer.status == "active"
    customer.advance(10)
    assert call(f"GET /v1/subscriptions/{customer.subscription}")["pause_collection"] is None


def test_renewal_that_needs_the_payer_waits_for_him(call):
    """A card that asks for its owner leaves the renewal past due until it is paid otherwise."""
    customer = Customer(call)
    customer.subscribe()
    customer.use("pm_card_authenticationRequired")
    call.events()
    happened = [type_ for type_, _ in customer.advance(32)]
    assert "invoice.payment_action_required" in happened
    assert customer.status == "past_due"


def test_paying_the_intent_of_an_invoice_pays_the_invoice():
    """Whoever confirms the PaymentIntent of a first invoice has paid it, and the subscription begins."""
    customer = Customer(call := Driver(), card="pm_card_chargeCustomerFail")
    made = customer.subscribe()
    assert made["status"] == "incomplete"
    (payment,) = call("GET /v1/invoice_payments", invoice=made["latest_invoice"])["data"]
    call(f"POST /v1/payment_intents/{payment['payment']['payment_intent']}/confirm", payment_method="pm_card_visa")
    assert customer.status == "active"


def test_currency_of_a_customer_stays(call):
    """A second subscription in another currency is refused, as at Stripe."""
    customer = Customer(call)
    customer.subscribe()
    made = {"currency": "eur", "unit_amount": 1000, "recurring": {"interval": "month"}}
    euro = call("POST /v1/prices", product_data={"name": "Euro"}, **made)["id"]
    status, error = call.refused("POST /v1/subscriptions", customer=customer.id, items=[{"price": euro}])
    assert (status, "combine currencies" in error["message"]) == (400, True)


@pytest.mark.parametrize(("evidence", "status"), [("winning_evidence", "won"), ("losing_evidence", "lost")])
def test_evidence_decides_a_dispute(call, evidence, status):
    """Stripe's words for test mode end a dispute, an hour later."""
    customer = Customer(call, card="pm_card_createDispute")
    customer.subscribe()
    (dispute,) = call("GET /v1/disputes")["data"]
    path = f"/v1/disputes/{dispute['id']}"
    changed = call(f"POST {path}", evidence={"uncategorized_text": evidence}, submit=True)
    assert changed["status"] == "under_review"
    assert "charge.dispute.closed" in dict(customer.advance(1))
    assert call(f"GET {path}")["status"] == status


def test_deleted_clock_takes_its_customers_along(call):
    """Without its clock a customer is gone, and the subscription has ended; nobody is told."""
    customer = Customer(call)
    customer.subscribe()
    assert call(f"DELETE /v1/test_helpers/test_clocks/{customer.clock}")["deleted"]
    assert call(f"GET /v1/customers/{customer.id}")["deleted"]
    assert customer.status == "canceled"
    assert call.events() == []
    assert call("GET /v1/test_helpers/test_clocks")["data"] == []


def test_customer_of_a_clock_may_be_one_that_a_target_knows(call):
    """The customers of test clocks get an id that is expected, life after life; others get one of their own."""
    call.double.hooks.prepare("cus_known", "cancel")
    assert [Customer(call).id, Customer(call).id] == ["cus_known", "cus_known"]
    assert call("POST /v1/customers")["id"] != "cus_known"
