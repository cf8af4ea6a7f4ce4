from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.canary import Ledger, make_canaries
from payproof.domain.request import Request
from payproof.domain.sensitive import Secret
from payproof.domain.source import Excerpt
from payproof.domain.target import Environment, Target, Webhook
from payproof.stripe.forgery import Material

VALUE = "whsec_" + "0123456789abcdefghijABCDEFGHIJKL"


@pytest.fixture
def ledger():
    """A ledger with one lasting secret and one value of a case."""
    made = Ledger()
    made.add("secret", "webhook secret", VALUE.encode(), lasting=True)
    made.add("name", "canary name", b"Ada Lovelace 1815")
    return made


def test_value_is_replaced_and_told(ledger):
    """A registered value is replaced by its kind and label, and what was found where is told without the value."""
    text, found = ledger.conceal(f"a {VALUE} b {VALUE}".encode(), "body")
    assert text == b"a [secret: webhook secret] b [secret: webhook secret]"
    assert [(one.kind, one.label, one.where) for one in found] == [
        ("secret", "webhook secret", "body, byte 2"),
        ("secret", "webhook secret", "body, byte 43"),
    ]


def test_longer_value_first(ledger):
    """Where one value is part of another, nothing of the longer one stays."""
    ledger.add("name", "long", b"Ada Lovelace 1815 of London")
    assert ledger.conceal(b"Ada Lovelace 1815 of London")[0] == b"[name: long]"


def test_short_values_are_not_searched(ledger):
    """A text that chance would find is not registered."""
    ledger.add("name", "short", b"12345")
    assert ledger.conceal(b"12345") == (b"12345", ())


def test_value_lasts_one_case_longer(ledger):
    """A case's value is still found during the next case, where a late log line may hold it, and dropped after that."""
    seen = []
    for _ in range(3):
        seen.append(bool(ledger.conceal(b"Ada Lovelace 1815")[1]))
        ledger.forget()
    assert seen == [True, True, False]
    assert ledger.conceal(VALUE.encode())[1]


def test_what_is_harmless_is_found_and_may_be_told(ledger):
    """A text of a refused request must come back from nowhere, while the report that quotes the request may hold it."""
    ledger.add("refused text", "of a request", b"pp0123456789x00000001", harmless=True)
    assert ledger.conceal(b"kept: pp0123456789x00000001")[0] == b"kept: [refused text: of a request]"
    assert ledger.holds_none([b"pp0123456789x00000001"])


@given(st.binary(min_size=6, max_size=40), st.binary(max_size=60), st.binary(max_size=60))
def test_no_value_hides_in_the_output(value, before, after):
    """Whatever a value is made of, and whatever stands around it, the last search of the output finds it."""
    ledger = Ledger()
    ledger.add("any", "value", value)
    assert not ledger.holds_none([b"first", before + value + after])
    assert ledger.holds_none([before, after]) == (value not in before and value not in after)


def test_forgotten_values_are_still_looked_for_in_the_end(ledger):
    """What the harness has written is searched for every value that there ever was."""
    for _ in range(3):
        ledger.forget()
    assert not ledger.holds_none([b"nothing", b"so Ada Lovelace 1815 said"])
    assert not ledger.holds_none([VALUE.encode()])
    assert ledger.holds_none([b"nothing", b"Ada"])


@given(
    st.lists(st.binary(min_size=6, max_size=12), min_size=1, max_size=5), st.lists(st.binary(max_size=9), max_size=6)
)
def test_no_registered_value_survives(values, rest):
    """Whatever the values and whatever stands between them: they are replaced, and nothing else is lost."""
    ledger = Ledger()
    for value in values:
        ledger.add("kind", "label", value)
    data = b"\x00".join([*rest, *values])
    text, found = ledger.conceal(data)
    assert bool(found) == any(value in data for value in values)
    assert len(found) == text.count(b"[kind: label]") - data.count(b"[kind: label]")


def test_canaries_are_repeatable_and_distinct():
    """The same randomness makes the same canaries; no two cases share one, and each is long enough to be found."""
    first, again, other = (make_canaries(Random(seed)) for seed in (1, 1, 2))
    assert first == again
    assert not set(first.values()) & set(other.values())
    assert all(len(value) >= 6 and value.isascii() for value in first.values())


def test_nothing_sensitive_in_a_repr():
    """No object that carries a secret, a body or a signature shows it when it is printed."""
    secret = Secret("webhook secret", VALUE)
    hook = Webhook("/hook", secret, "2022-11-15", previous_secret=secret, retired_secret=secret)
    target = Target("t", "https://billing.example", Environment.LOCAL, hook, api_key=secret)
    request = Request("POST", "/hook", ((b"Stripe-Signature", VALUE.encode()),), VALUE.encode(), "a note", ("evt_1",))
    material = Material(VALUE.encode(), VALUE, 1, Random(VALUE), previous_secret=VALUE, api_key=VALUE)
    for one in (secret, hook, target, request, material, Excerpt("a row", VALUE.encode())):
        for text in (repr(one), str(one), f"{one}"):
            assert VALUE not in text
            assert VALUE[6:20] not in text
    assert secret.reveal() == VALUE
