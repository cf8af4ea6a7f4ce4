"""`payproof replay`: recorded events arrive signed, as fast and in the order asked for, without anybody's data."""

import itertools
import json
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.session.recorded_events import Disguise, read_events
from tests.end_to_end import hostile
from tests.end_to_end.billing import genuine
from tests.end_to_end.command import SECRET_ENV, payproof_here
from tests.end_to_end.hostile import Server

NUMBER = "4242" * 4
PERSON = {"email": "ada@example.org", "name": "Ada Lovelace", "phone": "+441632960961"}


def made(number, **subject):
    """Return an event as Stripe's API tells it."""
    charge = {"id": f"ch_{number}", "object": "charge", "customer": "cus_known", "amount": 500, **subject}
    return {
        "id": f"evt_{number}",
        "object": "event",
        "api_version": "2026-08-26.dahlia",
        "created": 1_790_000_000,
        "type": "charge.succeeded",
        "livemode": False,
        "data": {"object": charge},
    }


def written(path, events, form="lines"):
    """Write a file of events in one of the forms that there are."""
    text = {
        "lines": lambda: "".join(json.dumps(one) + "\n" for one in events),
        "list": lambda: json.dumps({"object": "list", "has_more": False, "data": events}, indent=2),
        "array": lambda: json.dumps(events),
        "one": lambda: json.dumps(events[0], indent=2),
    }[form]()
    path.write_text(text)
    return path


def replay(file, *arguments, behave=None):
    """Replay a file to a server; return how it ended and what arrived."""
    with Server(behave or hostile.always(200)) as server:
        ended = payproof_here("replay", file, "--url", server.url + "/hook", "--secret-env", SECRET_ENV, *arguments)
    return ended, server.requests


def ids(requests):
    """Return the ids of the events that arrived, in order."""
    return [json.loads(one.body)["id"] for one in requests]


@pytest.mark.parametrize(("form", "expected"), [("lines", 3), ("list", 3), ("array", 3), ("one", 1)])
def test_each_form_of_file_is_read(tmp_path, form, expected):
    """JSON lines, a list as the API answers it, an array, one event: each arrives once, in order, genuinely signed."""
    file = written(tmp_path / "events", [made(number) for number in range(3)], form)
    ended, requests = replay(file, "--connections", "1")
    assert (ended.code, ended.err) == (0, "")
    assert ids(requests) == [f"evt_{number}" for number in range(expected)]
    assert all(map(genuine, requests))
    assert ended.out.startswith(f"delivered {expected} events in {expected} deliveries, ")
    assert f"\nanswered  {expected} x 200\n" in ended.out


@pytest.mark.thorough
def test_duplicates_and_disorder(tmp_path):
    """The same seed gives the same order; what comes twice is the same bytes, or signed anew."""
    file = written(tmp_path / "events", [made(number) for number in range(200)])
    how = ("--connections", "1", "--shuffle", "--duplicate", "0.25", "--seed", "7")
    (_, first), (_, again) = (replay(file, *how) for _ in range(2))
    assert ids(first) == ids(again)
    assert sorted(set(ids(first))) == sorted(f"evt_{number}" for number in range(200))
    assert ids(first) != sorted(ids(first), key=lambda one: int(one[4:]))
    twice = Counter(ids(first))
    assert 30 < sum(one == 2 for one in twice.values()) < 70
    assert len({(one.body, one.header("Stripe-Signature")) for one in first}) == 200


def test_rate_is_kept(tmp_path):
    """No more deliveries go out in a second than was said."""
    file = written(tmp_path / "events", [made(number) for number in range(20)])
    started = time.monotonic()
    ended, requests = replay(file, "--rate", "20")
    assert ended.code == 0
    assert len(requests) == 20
    assert time.monotonic() - started >= 0.95


def test_nobodys_data_is_sent(tmp_path):
    """Names, addresses, cards, secrets and what looks like them are replaced; ids and amounts stay."""
    event = made(
        1,
        billing_details={**PERSON, "address": {"line1": "12 St James's Square", "country": "GB", "city": "London"}},
        receipt_email=PERSON["email"],
        description=f"paid by {NUMBER} of {PERSON['email']}",
        metadata={"user_id": "17", "card": NUMBER},
        payment_method_details={"card": {"brand": "visa", "last4": "4242", "fingerprint": "Xt5EWLLDS7FJjR1c"}},
        receipt_url="https://pay.stripe.com/receipts/payment/CAcaFwoVYWNjdF8x",
        client_secret="pi_1_secret_" + "abcDEF123456",
    )
    _, (request,) = replay(written(tmp_path / "events", [event]))
    said = request.body.decode()
    known = (*PERSON.values(), "St James", "London", NUMBER, "Xt5EWLLDS7FJjR1c", "CAcaFwoV", "abcDEF123456")
    assert not [one for one in known if one in said]
    sent = json.loads(said)
    charge = sent["data"]["object"]
    assert (sent["id"], charge["id"], charge["customer"], charge["amount"]) == ("evt_1", "ch_1", "cus_known", 500)
    assert charge["metadata"]["user_id"] == "17"
    assert charge["billing_details"]["address"]["country"] == "GB"
    # What belonged together still does.
    assert charge["receipt_email"] == charge["billing_details"]["email"]
    assert charge["receipt_email"] in charge["description"]


TEXTS = (
    *("12", "34", "4242 42", "42 4242 4242", "sk_", "live_", "", "é 1", "user_17", "2026-12-01", "0"),
    *(NUMBER, "4242 4242 4242 4242", f"paid by {NUMBER}", "sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc" * 2),
    "pi_3MtwBwLkdIwHu7ix28a3tqPa_secret_" + "YrKJUKribcBjcG8HVhfZluoGH",
)


@given(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=12))
def test_what_stands_beside_a_text_changes_nothing(texts):
    """Of many events at a time each loses what it loses alone, whatever stands in the others."""
    events = [made(number, description=text) for number, text in enumerate(texts)]
    together = Disguise(b"key").apply(events)
    assert together == [one for event in events for one in Disguise(b"key").apply([event])]
    for text, event in zip(texts, together, strict=True):
        is_ours = text not in TEXTS[:11]
        assert (event["data"]["object"]["description"] != text) == is_ours, text


def test_half_a_character_arrives_as_it_was_written():
    """An event's file may hold what no encoding has; beside a card number it is lost with it."""
    half = "\ud83d"
    events = [made(1, description=half, receipt_email=f"{half}@billing.net"), made(2, description=half + NUMBER)]
    first, second = Disguise(b"key").encode(events)
    assert rb'"description": "\ud83d"' in first
    assert NUMBER.encode() not in second
    assert json.loads(first)["id"] == "evt_1"


@pytest.mark.thorough
def test_more_card_numbers_than_a_search_tells():
    """In a file full of them each card number is replaced."""
    events = [made(number, description=f"{number}: {NUMBER}") for number in range(2500)]
    assert not [one for one in Disguise(b"key").apply(events) if NUMBER in one["data"]["object"]["description"]]


def test_fixtures_keep_what_a_target_needs():
    """Of Stripe's own events, only texts are replaced: no id, amount, status or time is another afterwards."""
    events = [made(1, status="succeeded", created=1_790_000_000, amount_refunded=0, paid=True, refunds=None)]
    disguised = Disguise(b"key").apply(events)
    assert disguised == events


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file holds no event"),
        ("no json\n", "no JSON"),
        ('{"object": "charge"}', "event 1: no event of Stripe's"),
        ("[]", "the file holds no event"),
        ('{"data": 5}', "no list of events"),
        (json.dumps(made(1)) + "\n{", "line 2: no JSON"),
        (json.dumps(made(1)) + "\n" + json.dumps({"object": "charge"}), "line 2: no event of Stripe's"),
        (json.dumps({"object": "event", "id": "evt_1"}), "line 1: an event without what it tells"),
    ],
)
def test_a_file_that_is_wrong_sends_nothing(tmp_path, text, told):
    """What is no event is told in one line with its place, and nothing has been sent by then."""
    file = tmp_path / "events"
    file.write_text(text)
    ended, requests = replay(file)
    assert (ended.code, requests) == (4, [])
    assert ended.line.startswith(f"payproof: {file}: ")
    assert told in ended.line


def test_a_missing_file_is_told(tmp_path):
    """The file that cannot be read is named."""
    ended, _ = replay(tmp_path / "none")
    assert (ended.code, "none: the events cannot be read" in ended.line) == (4, True)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (500, 1)])
def test_exit_code_tells_of_refusals(tmp_path, status, code):
    """One delivery that is not accepted makes code 1, and is named."""
    number = itertools.count()
    ended, _ = replay(
        written(tmp_path / "events", [made(one) for one in range(3)]),
        *("--connections", "1"),
        behave=lambda peer, _: peer.send(hostile.answer(status if next(number) == 1 else 200)),
    )
    assert ended.code == code
    assert ("refused   charge.succeeded (evt_1): 500" in ended.out) == (code == 1)


def test_no_answer_is_unknown(tmp_path):
    """A target that does not answer makes code 3."""
    ended, _ = replay(written(tmp_path / "events", [made(1)]), "--timeout", "0.2", behave=hostile.never)
    assert ended.code == 3
    assert "no answer in time" in ended.out


def test_large_files_are_read_line_by_line(tmp_path):
    """Only as much of JSON lines is held as is being sent."""
    file = written(tmp_path / "events", [made(number) for number in range(3000)])
    events = read_events(Path(file))
    assert next(events)["id"] == "evt_0"
    assert sum(1 for _ in events) == 2999
