"""Payment data gets into every input of an event, and is right in itself."""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.canary import make_card_number, make_iban, spellings
from payproof.scan.brands import TEST_NUMBERS
from payproof.scan.luhn import is_valid
from payproof.session import event_factory
from payproof.stripe.offers import INPUTS, Bait, bait_inputs

BAIT = Bait("4000001234567899", ";4000001234567899=34081011234567890?", "DE00", "Ada Canary", "pi_1_secret_2")
FACTORY = event_factory(1)
CANARIES = {key: key for key in ("name", "email", "phone", "address", "description", "metadata", "client_secret")}


def made(type_, version=None):
    """Return an event of a type as JSON."""
    version = version or FACTORY.versions()[-1]
    event = FACTORY.make(type_, api_version=version, now=1_900_000_000, canaries=CANARIES, key="k")
    return json.loads(event.encode())


@pytest.mark.parametrize("version", FACTORY.versions())
def test_every_type_of_event_offers_some_input(version):
    """In each type of event of each version there are inputs beside unknown fields, and most have metadata."""
    types = FACTORY.types(version)
    taken = {type_: {input_ for input_ in INPUTS if bait_inputs(made(type_, version), input_, BAIT)} for type_ in types}
    # A warning of Radar's names a charge, and nothing that anybody could type.
    bare = {type_ for type_, inputs in taken.items() if len(inputs) <= 1}
    assert bare == {"radar.early_fraud_warning.created", "radar.early_fraud_warning.updated"}
    assert sum("metadata" in inputs for inputs in taken.values()) > len(types) * 0.9


@pytest.mark.parametrize("input_", INPUTS)
def test_each_sort_of_input_gets_the_number(input_):
    """What is put into one sort of input is in the event afterwards, whose shape is otherwise as it was."""
    for type_ in ("charge.succeeded", "checkout.session.completed", "customer.created", "payment_method.attached"):
        event = made(type_)
        found = bait_inputs(event, input_, BAIT)
        assert (BAIT.number in json.dumps(event)) is found
        assert event["data"]["object"]["id"] == made(type_)["data"]["object"]["id"]


@given(st.integers())
def test_made_up_numbers_are_right_and_nobodys(seed):
    """A made-up card number has a right check digit and is none of the published; so has an IBAN."""
    random = Random(seed)
    number, iban = make_card_number(random), make_iban(random)
    assert is_valid(number)
    assert len(number) == 16
    assert number not in TEST_NUMBERS
    assert int(iban[4:] + "1314" + iban[2:4]) % 97 == 1


def test_numbers_are_concealed_as_they_are_written():
    """A card number is concealed in groups, too; other texts as they are."""
    assert list(spellings(b"4000001234567899")) == [b"4000001234567899", b"4000 0012 3456 7899", b"4000-0012-3456-7899"]
    assert list(spellings(b"Ada")) == [b"Ada"]
