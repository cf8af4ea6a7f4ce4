"""How surely a card number is told in the surroundings that people and programs put it in."""

import base64
import json

import pytest

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.registry import detectors_at_rest
from payproof.scan.luhn import check_digit
from payproof.scan.scanner import Scanner

NUMBER = "4000051234567894"
GROUPS = "4000 0512 3456 7894"
UNIONPAY = "6212345678901234567"  # without a check digit that is right
SCANNER = Scanner(detectors_at_rest(), Confidence.LOW)


def told(text, kind="pan"):
    """Return the confidence of the surest hit of a kind; None where there is none."""
    hits = [one for one in SCANNER.scan(text.encode()) if isinstance(one, Hit) and one.kind == kind]
    return max((one.confidence for one in hits), key=lambda one: one.rank).value if hits else None


@pytest.mark.parametrize(
    "text",
    [
        f'{{"payment_reference":"{NUMBER} exp 04/29","amount":1250}}',
        f'{{"order_id":"{GROUPS} exp 04/29 cvv 123"}}',
        f'{{"payment_reference":"card {GROUPS}"}}',
        f'{{"order_id": "{GROUPS}"}}',
        f"invoice {GROUPS.replace(' ', '-')}",
        f"order {NUMBER} exp 04/29",
        f"order_id={NUMBER}&cvv=123",
        f'{{"reference":"{NUMBER}","exp_month":4,"exp_year":2029}}',
        f'{{"cvc": "123", "id": "{NUMBER}"}}',
        f"txn {NUMBER}|04|29|123",
        f"id={NUMBER} 04/2029",
        f'{{"id": "{NUMBER}", "security_code": "123"}}',
    ],
)
def test_a_name_is_no_veto_over_groups_dates_and_codes(text):
    """A number in a card's groups, or with its expiry or code beside it, is told for sure, whatever its key says."""
    assert told(text) == "high"


@pytest.mark.parametrize(
    "text",
    [
        f'{{"order_id": "{NUMBER}", "created": "2026-11-23 05:00:00"}}',
        f"order_id={NUMBER} 11-23 05:00:01",
        f'{{"order_id": "{NUMBER}", "expires_at": 1767225600, "status": "exported"}}',
        f'{{"trace_id": {NUMBER}, "cvc_check": "pass"}}',
        f'{{"id": "{NUMBER}", "customer": "cus_9s6XKzkNRiz8i3", "executed": 12}}',
    ],
)
def test_other_things_beside_a_named_number_say_nothing(text):
    """Days, times and words that only look like a date of expiry or a code leave a named number what it is named."""
    assert told(text) == "low"


@pytest.mark.parametrize(
    "text",
    [
        f'{{"message":"Payment link created","payment_reference":"{NUMBER}","payment_id":"hu20sqlact52"}}',
        f"ref={NUMBER}",
        f'{{"description": "{NUMBER}"}}',
        f'{{"reference": "{NUMBER}", "expires_at": 1767225600, "status": "exported"}}',
    ],
)
def test_a_text_that_people_type_is_no_veto(text):
    """A bare number in a reference or a description is told as one that nothing names; a service's own id is not."""
    assert told(text) == "medium"


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        (f"card{NUMBER}", "high"),
        (f"PAN_{NUMBER}", "high"),
        (f"my_card_{NUMBER}.pdf", "high"),
        (f"visa{NUMBER}exp0429", "high"),
        (f'{{"card_number": "x{NUMBER}"}}', "high"),
        (f"charge{NUMBER}done", "medium"),
        (f"receipt_{NUMBER}.pdf", "medium"),
        (f"__{NUMBER}__", "medium"),
        (f"order{NUMBER}", "low"),
        (f"order{NUMBER} exp 04/29", "high"),
        (f"card_{NUMBER}", "low"),
        (f"cus_{NUMBER}", "low"),
        (f"a{NUMBER}b", "low"),
        (f"{NUMBER}ms", "low"),
        (f"a1b{NUMBER}", "low"),
        (f"0x{NUMBER}", "low"),
        (f"{NUMBER}a9f", "low"),
        (f"0.{NUMBER}", "low"),
        (f"card 12-{NUMBER}", "high"),
        (f"card {NUMBER}/0429", "high"),
        (f"12-{NUMBER}", "low"),
    ],
)
def test_what_a_number_is_glued_to_tells(text, confidence):
    """Words that a number is glued to tell as those beside it do; what looks like an id is told least."""
    assert told(text) == confidence


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        (GROUPS, "high"),
        (GROUPS.replace(" ", " - "), "high"),
        (GROUPS.replace(" ", "--"), "high"),
        (GROUPS.replace(" ", "   "), "medium"),
        (GROUPS.replace(" ", "\t"), "medium"),
        (f"17 {GROUPS} 4242 99", "medium"),
        (f"1234  {GROUPS.replace(' ', '  ')}  4242", "low"),
        ("card 4000 051 2345 67894", "medium"),
        ("4000 051 2345 67894", "low"),
    ],
)
def test_separators_tell_too(text, confidence):
    """What separates a card's groups tells whether somebody wrote a number or a program a table."""
    assert told(text) == confidence


@pytest.mark.parametrize(
    "text",
    [
        f"card {NUMBER[:7]}\n{NUMBER[7:]}",
        f"card {GROUPS[:7]}\n{GROUPS[7:]}",
        f"pan={NUMBER[:12]}\\\n{NUMBER[12:]}",
        "card1=4000&card2=0512&card3=3456&card4=7894",
        '{"card":[4000,512,3456,7894],"cards":["4000","0512","3456","7894"]}',
        '{"card_bin":"400005","card_rest":"1234567894"}',
        f'{{"card_number":"000{NUMBER}"}}',
        f'{{"pan":"{NUMBER}0429"}}',
    ],
)
def test_parts_of_a_named_number_are_put_together(text):
    """A number that is named a card's is told for sure over lines, in fields, behind zeros and before an expiry."""
    assert told(text) == "high"


@pytest.mark.parametrize(
    "text",
    [
        f"{NUMBER[:7]}\n{NUMBER[7:]}",
        f"count {NUMBER[:12]}\n{NUMBER[12:]}-11-23 05:00",
        "4000,0512,3456,7894",
        '{"a":"4000","b":"0512","c":"3456","d":"7894"}',
        f"tracking 000{NUMBER}",
    ],
)
def test_parts_that_nothing_names_are_not(text):
    """Digits of lines and fields that no name of a card's stands before are never put together."""
    assert told(text) is None


@pytest.mark.parametrize("begin", ["4000", "6011", "36", "3528", "62", "2200", "6500020", "6759"])
def test_nineteen_digits_that_are_named_are_sure(begin):
    """A number of 19 digits of a brand that has such, named a card's, is told for sure, also without a check digit."""
    body = begin + "512345678901234567"[: 18 - len(begin)]
    number = UNIONPAY if begin == "62" else body + check_digit(body)
    for text in (f'{{"card_number":"{number}"}}', f"pan={number}", f"card number: {number}"):
        assert told(text) == "high"


@pytest.mark.parametrize(
    "text",
    [
        "card-service 4000051234567894",
        "cards-api: processed 4000051234567894",
        "logger=card_worker seen 4000051234567894",
        "CardService handled 4000051234567894",
        '{"app":"visa-gateway","n":4000051234567894}',
        "com.acme.card.service.Worker - 4000051234567894",
        '{"card_service": 4000051234567894}',
    ],
)
def test_a_service_for_cards_tells_nothing(text):
    """The name of a part of a system that deals with cards does not make the number beside it a card's for sure."""
    assert told(text) == "medium"


@pytest.mark.parametrize(
    ("encode", "label"),
    [
        (lambda text: text, "base64"),
        (lambda text: f"{text}.", "base64"),
        (lambda text: f"eyJhbGciOiJIUzI1NiJ9.{text}.c2lnbmF0dXJlIG9mIGl0", "jwt"),
        (lambda text: f"{text}.{text}.c2lnbmF0dXJlIG9mIGl0", "jwt"),
    ],
)
def test_only_a_token_is_called_one(encode, label):
    """JSON in base64 is called base64, and a token only what has a token's three parts."""
    text = base64.urlsafe_b64encode(json.dumps({"card": {"number": NUMBER}}).encode()).decode().rstrip("=")
    hits = [one for one in SCANNER.scan(encode(text).encode()) if isinstance(one, Hit) and one.kind == "pan"]
    assert {one.path for one in hits} == {(label,)}
