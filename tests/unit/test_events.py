"""The made-up Stripe events: complete, repeatable, consistent, and carrying the canaries."""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import stripe

from payproof.canary import make_canaries
from payproof.errors import ConfigurationError
from payproof.stripe.bodies import FORMS, LARGE
from payproof.stripe.deliveries import CONNECT_TYPES
from payproof.stripe.events import Event, EventFactory
from payproof.stripe.templates import Templates

FIXTURES = Path(__file__).parents[2] / "fixtures" / "events"
NOW = 1_900_000_000
CANARIES = make_canaries(Random(7))
FACTORY = EventFactory(FIXTURES, seed=7)
OLD, NEW = FACTORY.versions()
EVENTS = [(version, event_type) for version in (OLD, NEW) for event_type in FACTORY.types(version)]
every_event = pytest.mark.parametrize(("api_version", "event_type"), EVENTS)
both_versions = pytest.mark.parametrize("api_version", [OLD, NEW])

BILLING_TYPES = sorted(
    f"{family}.{what}"
    for family, kinds in {
        "customer": "created updated deleted",
        "customer.discount": "created updated deleted",
        "customer.source": "created updated deleted expiring",
        "customer.tax_id": "created updated deleted",
        "customer.subscription": (
            "created updated deleted paused resumed trial_will_end pending_update_applied pending_update_expired"
        ),
        "invoice": (
            "created updated finalized paid payment_succeeded payment_failed payment_action_required "
            "upcoming voided marked_uncollectible finalization_failed overdue will_be_due sent deleted"
        ),
        "checkout.session": "completed expired async_payment_succeeded async_payment_failed",
        "charge": "succeeded failed pending captured updated expired refunded",
        "charge.dispute": "created updated closed funds_withdrawn funds_reinstated",
        "refund": "created updated failed",
        "payment_intent": (
            "created succeeded payment_failed canceled processing requires_action amount_capturable_updated "
            "partially_funded"
        ),
        "payment_method": "attached detached updated automatically_updated",
        "setup_intent": "created succeeded setup_failed canceled requires_action",
        "product": "created updated deleted",
        "price": "created updated deleted",
        "plan": "created updated deleted",
        "coupon": "created updated deleted",
        "promotion_code": "created updated",
        "account": "updated application.authorized application.deauthorized",
        "account.external_account": "created updated deleted",
        "payout": "created updated paid failed canceled",
        "subscription_schedule": "created updated canceled completed expiring released",
        "invoiceitem": "created deleted",
        "credit_note": "created updated voided",
        "charge.refund": "updated",
        "radar.early_fraud_warning": "created updated",
    }.items()
    for what in kinds.split()
)


def make(event_type: str, api_version: str = NEW, **options: Any) -> Event:
    """Return an event of the module's factory; everything but the type has a default."""
    defaults: dict[str, Any] = {"now": NOW, "canaries": CANARIES, "key": "one"}
    return FACTORY.make(event_type, api_version=api_version, **defaults | options)


def strings(node: Any) -> Iterator[str]:
    """Yield each text of a JSON value."""
    if isinstance(node, dict):
        node = list(node.values())
    if isinstance(node, list):
        for value in node:
            yield from strings(value)
    elif isinstance(node, str):
        yield node


def card_numbers(text: str) -> list[str]:
    """Return the runs of 13 to 19 digits that pass Luhn's check."""

    def luhn(digits: str) -> bool:
        doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
        return sum(number - 9 * (number > 9) for number in doubled) % 10 == 0

    return [run for run in re.findall(r"(?<!\d)\d{13,19}(?!\d)", text) if luhn(run)]


def test_types():
    """Both versions have templates for the same types, every one of a subscription business among them."""
    assert FACTORY.types(OLD) == FACTORY.types(NEW)
    assert set(BILLING_TYPES) <= set(FACTORY.types(NEW))


@pytest.mark.parametrize("api_version", [OLD, NEW])
def test_types_for_connect(api_version):
    """Those that tell of a connected account are those that go to endpoints for Connect only."""
    assert {
        type_ for type_ in FACTORY.types(api_version) if "account" in make(type_, api_version).content
    } == CONNECT_TYPES


def test_versions_straddle_basil():
    """One version is older than 2025-03-31, where Stripe moved a subscription's fields, the other is not."""
    assert OLD < "2025-03-31" <= NEW


@every_event
def test_sdk_constructs(api_version, event_type):
    """Stripe's SDK reads each event, and takes its bytes once they are signed."""
    event = make(event_type, api_version, now=int(time.time()))
    secret, stamp = "whsec" + "_made_up", int(time.time())
    for form in ("pretty", "compact", "spaced"):
        body = event.encode(form)
        signature = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        taken = stripe.Webhook.construct_event(body, f"t={stamp},v1={signature}", secret)
        assert (taken.id, taken.type, taken.api_version) == (event.id, event_type, api_version)
    constructed = stripe.Event.construct_from(json.loads(event.encode()), "key")
    assert constructed.data.object["object"] == event.content["data"]["object"]["object"]
    assert getattr(constructed.data.object, "id", "") == event.object_id


@every_event
def test_repeatable(api_version, event_type):
    """A new factory with the same seed makes the same event again, byte for byte."""
    again = EventFactory(FIXTURES, seed=7).make(
        event_type, api_version=api_version, now=NOW, canaries=CANARIES, key="one"
    )
    assert again == make(event_type, api_version)
    assert again.encode() == make(event_type, api_version).encode()


@every_event
def test_only_ids_are_those_of_a_run(api_version, event_type):
    """Under the same seed another run has other ids, of the same shape, and the same words and canaries."""
    given = {"api_version": api_version, "now": NOW, "canaries": CANARIES, "key": "one"}
    first, second = (EventFactory(FIXTURES, seed=1, run=run).make(event_type, **given) for run in ("a", "b"))
    assert first.id != second.id
    text = json.dumps(second.content)
    for mine, others in zip(first.ids, second.ids, strict=True):
        text = text.replace(others, mine)
    assert text == json.dumps(first.content)


@every_event
def test_distinct(api_version, event_type):
    """Another key, seed or type gives an event that shares no id with the first."""
    first = make(event_type, api_version)
    seeded = EventFactory(FIXTURES, seed="other").make(
        event_type, api_version=api_version, now=NOW, canaries=CANARIES, key="one"
    )
    other_type = make(next(name for name in BILLING_TYPES if name != event_type), api_version)
    for other in (make(event_type, api_version, key="two"), seeded, other_type):
        assert not set(first.ids) & set(other.ids)


@every_event
def test_ids(api_version, event_type):
    """The ids are exactly what looks like a Stripe id in the event, its own first, and nothing is left unfilled."""
    event = make(event_type, api_version)
    texts = [text.removeprefix("upcoming_") for text in strings(event.content)]
    shape = r"\b[a-z]+_(?:sched_|test_a)?[13]?[A-Za-z0-9]{14,58}\b"
    shown = {found for text in texts for found in re.findall(shape, text)}
    made = {one for one in event.ids if not one.startswith("upcoming_") and "_" in one}  # a coupon's has no prefix
    assert event.ids[0] == event.id == event.content["id"]
    assert made <= shown
    assert len(event.ids) == len(set(event.ids))
    assert all(one in CANARIES["client_secret"] for one in shown - made if not one.startswith("test_"))
    assert not [text for text in texts if text.startswith("$") or "{$" in text]


@pytest.mark.parametrize(
    ("prefix", "shape"),
    {
        "evt": r"evt_1\w{23}",
        "cus": r"cus_\w{14}",
        "sub": r"sub_1\w{23}",
        "in": r"in_1\w{23}",
        "si": r"si_\w{14}",
        "il": r"il_1\w{23}",
        "price": r"price_1\w{23}",
        "prod": r"prod_\w{14}",
    }.items(),
)
def test_id_shapes(prefix, shape):
    """Made-up ids look like Stripe's."""
    (found,) = [one for one in make("invoice.paid").ids if one.startswith(f"{prefix}_")]
    assert re.fullmatch(shape, found)


def test_shape_of_each_version():
    """Each version shows a subscription, an invoice and a discount in its own shape, with one customer throughout."""
    old = make("invoice.paid", OLD).content["data"]["object"]
    new = make("invoice.paid", NEW).content["data"]["object"]
    assert new["parent"]["subscription_details"]["subscription"] == new["lines"]["data"][0]["subscription"]
    assert new["lines"]["data"][0]["pricing"]["price_details"]["price"].startswith("price_")
    assert old["subscription"] == old["lines"]["data"][0]["subscription"]
    assert old["paid"] is True
    assert old["charge"].startswith("ch_")
    assert not {"subscription", "charge", "payment_intent", "paid"} & new.keys()
    periods = [make("customer.subscription.created", version).content["data"]["object"] for version in (OLD, NEW)]
    assert "current_period_end" in periods[0]
    assert "current_period_end" not in periods[1]
    assert "current_period_end" in periods[1]["items"]["data"][0]


@pytest.mark.parametrize("livemode", [False, True])
def test_livemode(livemode):
    """The mode shows in the event, its object and a Checkout Session's id."""
    content = make("checkout.session.completed", livemode=livemode).content
    assert content["livemode"] is content["data"]["object"]["livemode"] is livemode
    assert content["data"]["object"]["id"].startswith("cs_live_a1" if livemode else "cs_test_a1")


@both_versions
@pytest.mark.parametrize(
    ("event_type", "carried"),
    {
        "charge.dispute.created": "name email address description metadata",
        "charge.succeeded": "name email phone address description metadata",
        "checkout.session.completed": "name email phone address metadata",
        "customer.created": "name email phone address description metadata",
        "customer.source.created": "name email phone address metadata client_secret",
        "customer.subscription.created": "description metadata",
        "customer.tax_id.updated": "name address",
        "invoice.paid": "name email phone address description metadata",
        "payment_intent.payment_failed": "name email phone address description metadata client_secret",
        "payment_method.attached": "name email phone address metadata",
        "refund.created": "email description metadata",
        "setup_intent.succeeded": "description metadata client_secret",
    }.items(),
)
def test_canaries(api_version, event_type, carried):
    """An event carries the run's canaries wherever Stripe would carry personal or card data."""
    body = make(event_type, api_version).encode().decode()
    assert [name for name in CANARIES if CANARIES[name] not in body and name in carried.split()] == []


def test_checkout_client_secret():
    """An embedded Checkout Session carries the client secret; older versions had no such field."""
    assert (
        make("checkout.session.completed", NEW).content["data"]["object"]["client_secret"] == CANARIES["client_secret"]
    )
    assert "client_secret" not in make("checkout.session.completed", OLD).content["data"]["object"]


def test_missing_canary():
    """An event without one of its canaries would make a search for nothing, so it is refused."""
    with pytest.raises(ConfigurationError, match=r"the canary address.*given: name"):
        make("customer.created", canaries={"name": "Ada"})


def test_repr_shows_no_content():
    """The representation of an event holds none of its content."""
    assert not [value for value in CANARIES.values() if value in repr(make("charge.succeeded"))]


def test_no_card_numbers():
    """No template and no event holds a card number."""
    for file in FIXTURES.rglob("*.json"):
        assert card_numbers(file.read_text("utf-8")) == [], file
    for api_version, event_type in EVENTS:
        assert card_numbers(make(event_type, api_version).encode().decode()) == [], event_type
    assert card_numbers("42424242" + "42424242") == ["42424242" + "42424242"]


@every_event
def test_previous_attributes(api_version, event_type):
    """An update says what was different before; what is created says nothing of the sort."""
    data = make(event_type, api_version).content["data"]
    if (
        event_type.endswith(("updated", "refunded", "detached"))
        and event_type != "payment_intent.amount_capturable_updated"
    ):
        before = data["previous_attributes"]
        assert before.keys() <= data["object"].keys()
        assert all(data["object"][key] != value for key, value in before.items())
    else:
        assert "previous_attributes" not in data


def test_upcoming_invoice():
    """An upcoming invoice has no id in the old version, and an id of its own kind in the new one."""
    assert make("invoice.upcoming", OLD).object_id == ""
    assert re.fullmatch(r"upcoming_in_1\w{23}", make("invoice.upcoming", NEW).object_id)


def test_pinned_ids():
    """Pinned ids let several events concern one object; a prefix that an event lacks is left aside."""
    known = {"cus": "cus_known", "sub": "sub_known", "evt": "evt_known"}
    invoice, charge = make("invoice.paid", ids=known), make("charge.succeeded", ids=known)
    assert invoice.content["data"]["object"]["customer"] == charge.content["data"]["object"]["customer"] == "cus_known"
    assert invoice.id == "evt_known"
    assert "sub_known" in invoice.ids
    assert "sub_known" not in charge.ids
    unpinned = [one for one in make("invoice.paid").ids if one.partition("_")[0] not in known]
    assert [one for one in invoice.ids if not one.endswith("_known")] == unpinned


def test_set():
    """Dotted paths override the object, and the event after a leading ``event.``; the ids follow."""
    before = make("customer.subscription.updated")
    event = make(
        "customer.subscription.updated",
        set={
            "status": "canceled",
            "items.data.0.price.id": "price_x",
            "metadata.tenant": "other",
            "event.id": "evt_test_webhook",
            "event.data.previous_attributes": {"status": "active"},
        },
    )
    subject = event.content["data"]["object"]
    assert subject["status"] == "canceled"
    assert subject["items"]["data"][0]["price"]["id"] == "price_x"
    assert subject["metadata"] == {"note": CANARIES["metadata"], "tenant": "other"}
    assert event.content["data"]["previous_attributes"] == {"status": "active"}
    assert event.ids[0] == event.id == "evt_test_webhook"
    gone = {one for one in before.ids if one.startswith(("evt_", "price_"))}
    assert event.ids[1:] == tuple(one for one in before.ids if one not in gone)
    assert make("customer.subscription.updated") == before


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("statsu", "nearest: status"),
        ("items.data.0.price.unit_amuont", "nearest: unit_amount"),
        ("items.data.7.price", "nearest: 0"),
        ("event.live_mode", "nearest: livemode"),
        ("pending_update.expires_at", "would lie inside null"),
        ("discounts.0", "there is no '0'"),
    ],
)
def test_set_nowhere(path, message):
    """A path that leads into nothing is refused, and the nearest key is named."""
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        make("customer.subscription.updated", set={path: 1})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make("invoice.payed"), "nearest: invoice.paid"),
        (lambda: make("invoice.payed", "2024-06-20"), f"no event type 'invoice.payed' in API version {OLD}"),
        (lambda: make("invoice.paid").encode("compcat"), "nearest: compact"),
    ],
)
def test_unknown_names(call, message):
    """An unknown type or form is refused, and the nearest one is named."""
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        call()


@pytest.mark.parametrize(
    ("asked", "shape"),
    [
        ("2011-01-01", OLD),
        ("2022-11-15", OLD),
        ("2024-06-20", OLD),
        ("2025-02-24.acacia", OLD),
        ("2025-03-30", OLD),
        ("2025-03-31.basil", NEW),
        ("2025-09-30.clover", NEW),
        ("2026-08-26.dahlia", NEW),
        ("2026-10-28.endive", NEW),
    ],
)
def test_shape(asked, shape):
    """Any API version has the shape of the newest templates that are not newer, and an event carries the asked one."""
    assert Templates(FIXTURES).shape(asked) == shape
    event = make("customer.subscription.updated", asked)
    assert event.api_version == event.content["api_version"] == asked
    assert (
        event.content["data"]["object"].keys()
        == make("customer.subscription.updated", shape).content["data"]["object"].keys()
    )


@pytest.mark.parametrize(
    "asked",
    [
        *("", "latest", "2024", "2024-06", "2024-6-20", "20240620", "2010-12-31", "1999-06-20", "2024-06-20."),
        *("2024-06-20x", "2024-06-20.Acacia", "2024-06-20.acacia ", " 2024-06-20", "2024-06-20\n", "2024-26-20.acacia"),
        "../objects",
    ],
)
def test_what_is_no_api_version(asked):
    """What is no API version of Stripe is refused in one line that shows what one looks like."""
    for call in (lambda: make("invoice.paid", asked), lambda: FACTORY.types(asked)):
        with pytest.raises(ConfigurationError) as raised:
            call()
        assert str(raised.value) == f"{asked!r} is no API version of Stripe; such as {NEW} or 2024-06-20"


def test_shapes_name_the_folders():
    """Every folder of templates has its place in the order of shapes, and no other folder is named there."""
    assert set(json.loads((FIXTURES / "shapes.json").read_text())) == {OLD, NEW}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.json": {"object": "thing", "sets": {}}}, "nearest: set"),
        ({"a.json": {"object": "thingy"}}, "nearest: thing"),
        ({"a.json": {"object": "thing", "set": {"x": "$nwo"}}}, "$nwo is no placeholder"),
        ({"a.json": {"object": "thing", "set": {"x": "$faker:citty"}}}, "faker has no provider"),
        ({"a.json": {"object": "thing", "set": {"y.z": 1}}}, "y.z: there is no 'y'"),
        ({"a.json": {"object": "thing"}, "objects/thing.json": "{"}, "thing.json:1"),
    ],
)
def test_template_faults(tmp_path, files, message):
    """A fault in a template is told with its place or with what is near."""
    usual = {"objects/event.json": {"id": "$id:evt", "data": {}}, "objects/thing.json": {"object": "thing"}}
    for name, content in (usual | files).items():
        file = tmp_path / "2025-01-01" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    (tmp_path / "shapes.json").write_text('{"2025-01-01": "2020-01-01"}', "utf-8")
    factory = EventFactory(tmp_path, seed=1)
    assert factory.types("2025-01-01") == ("a",)
    with pytest.raises(ConfigurationError, match=re.escape(message)):
        factory.make("a", api_version="2025-01-01", now=NOW, canaries={}, key="k")


@every_event
def test_forms_with_the_same_content(api_version, event_type):
    """The pretty, compact and spaced forms differ in bytes and say the same."""
    event = make(event_type, api_version)
    bodies = [event.encode(form) for form in ("pretty", "compact", "spaced")]
    assert len(set(bodies)) == 3
    assert [json.loads(body) for body in bodies] == [event.content] * 3
    assert bodies[0].startswith(b'{\n  "id": "evt_')
    assert not re.search(rb"\n", bodies[1])


@every_event
def test_forms_with_text(api_version, event_type):
    """The unicode and escaped forms carry the same text beyond ASCII; the large form has 250 KB, and not 256."""
    event = make(event_type, api_version)
    without_any = ("customer.tax_id", "radar.") + (("customer.discount",) if api_version == NEW else ())
    if event_type.startswith((*without_any, "account.application")):  # an application has a name, and no metadata
        for form in ("unicode", "escaped", "large") if event_type.startswith(without_any) else ("large",):
            with pytest.raises(ConfigurationError, match="carries no free text"):
                event.encode(form)
        return
    plain, escaped, large = (event.encode(form) for form in ("unicode", "escaped", "large"))
    assert json.loads(plain) == json.loads(escaped) != event.content
    assert escaped.isascii()
    assert not plain.isascii()
    assert LARGE == 250 * 1024 <= len(large) < 256 * 1024
    assert json.loads(large)["id"] == event.id
    assert event == make(event_type, api_version)


@both_versions
def test_large_invoice(api_version):
    """A large invoice stays within Stripe's limits: ten lines, fifty keys of metadata, five hundred characters."""
    lines = json.loads(make("invoice.paid", api_version).encode("large"))["data"]["object"]["lines"]["data"]
    assert len({line["id"] for line in lines}) == len(lines) <= 10
    assert all(len(line["metadata"]) <= 50 for line in lines)
    assert all(len(value) <= 500 for line in lines for value in line["metadata"].values())


def test_all_forms_are_known():
    """Each form that is listed can be written."""
    assert all(make("invoice.paid").encode(form) for form in FORMS)
