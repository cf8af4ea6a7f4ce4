import hashlib
import pickle
from base64 import b64encode
from decimal import Decimal
from random import Random

import numpy as np
import pytest

from payproof.domain.finding import Confidence
from payproof.registry import detectors, detectors_at_rest
from payproof.scan.brands import BRANDS, TEST_NUMBERS, brand_of
from payproof.scan.canaries import Canaries, Canary
from payproof.scan.characters import DIGIT, either, one, word
from payproof.scan.context import key_before, words_of
from payproof.scan.luhn import check_digit, is_valid, word_sums
from payproof.scan.scanner import Scanner
from payproof.scan.streams import Machine, Program
from payproof.scan.values import scan_value, scan_values
from tests.scan._writing import pan

VISA = BRANDS[7]
SCANNER = Scanner(detectors_at_rest())


def test_check_digit_is_that_of_the_standard():
    """The example of ISO/IEC 7812-1: 7992739871 takes the check digit 3, and no other."""
    assert check_digit("7992739871") == "3"
    assert [digit for digit in "0123456789" if is_valid("7992739871" + digit)] == ["3"]


def test_sums_of_words_are_those_of_digits():
    """The sum of eight digits at once is the sum of each by the rule."""
    random = Random(1)
    texts = [f"{random.randrange(10**8):08}" for _ in range(500)]
    words = np.array([int.from_bytes(text.encode(), "little") for text in texts], np.uint64)
    doubled = {digit: sum(map(int, str(2 * int(digit)))) for digit in "0123456789"}
    expected = [sum(doubled[d] if index % 2 == 0 else int(d) for index, d in enumerate(text)) for text in texts]
    assert word_sums(words).tolist() == expected


@pytest.mark.parametrize("brand", BRANDS, ids=lambda brand: f"{brand.name}-{brand.lengths[0]}")
def test_brand_is_known_by_its_numbers(brand):
    """A number of each length is its brand's; with another check digit only where the brand does without."""
    for length in brand.lengths:
        number = pan(brand, length, Random(1))
        found = brand_of(number)
        assert found is not None
        assert (found[0].name, found[1]) == (brand.name, True)
        wrong = brand_of(number[:-1] + str((int(number[-1]) + 1) % 10))
        assert wrong is None or not wrong[0].luhn


def test_published_test_numbers_are_certain():
    """Each number that Stripe publishes for tests is told as certain, whatever stands around it."""
    for number in TEST_NUMBERS:
        (hit,) = SCANNER.scan(f"order {number}".encode())
        assert hit.confidence is Confidence.CERTAIN, number[:6]


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        ('{"card_number": "$"}', "high"),
        ("$ 12/29", "high"),
        ("x $ y", "medium"),
        ('{"order_id": "$"}', "low"),
        ("+$", "low"),
        ("abc$", "low"),
        ("4.$", "low"),
    ],
)
def test_confidence_follows_what_stands_around(text, confidence):
    """The same digits are told as surely as their neighbours say."""
    data = text.replace("$", "4000051234567894").encode()
    (hit,) = [one for one in Scanner(detectors_at_rest(), Confidence.LOW).scan(data) if one.kind == "pan"]
    assert hit.confidence.value == confidence


@pytest.mark.parametrize(
    ("text", "confidence"),
    [
        (";$=29121010000000000?", "high"),
        (";$=29121010000000000?7", "high"),  # with the check character behind the end sentinel
        ("swiped ;$=2912101?", "high"),
        ("%3B$=29121010000000000%3F", "high"),
        ('"$=29121010000000000"', "high"),
        ('{"track2":"$D29121010000000000F"}', "high"),
        ("track2=$D29121010000000000F", "high"),
        ("track2=$=29121010000000000&x=1", "high"),
        ("$D29121010000000000F", "high"),
        ("$d2912101000", "high"),
        ("\\n$=2912101000\\n", "high"),
        ("3c$D2912101000", "low"),
        ("$D2912101000ab", "low"),
        ("0f571c$D29121010000000000F5F20", "low"),
        ("5a0f$d29121010000000000e", "low"),
        ("x$=2912101000", "low"),
    ],
)
def test_track_within_a_longer_token_is_low(text, confidence):
    """A track stands by itself; what looks like one within hexadecimal digits does so by chance, and is listed only."""
    data = f"before {text.replace('$', '4000051234567894')} behind".encode()
    found = Scanner(detectors_at_rest(), Confidence.LOW).scan(data)
    assert [hit.confidence.value for hit in found if hit.kind == "track_data"] == [confidence]
    usual = {hit.kind for hit in SCANNER.scan(data)}
    assert ("track_data" in usual) is (confidence == "high")


def test_column_says_what_its_values_are():
    """The name of a column is the neighbour of its values."""
    found = {column: scan_value(SCANNER, column, 4000051234567894) for column in ("card_number", "amount", "x")}
    assert [[hit.confidence.value for hit in hits] for hits in found.values()] == [["high"], [], ["medium"]]


@pytest.mark.parametrize(
    "value",
    [
        4000051234567894,
        "4000051234567894",
        b"4000051234567894",
        memoryview(b"4000051234567894"),
        Decimal("4000051234567894.00"),
        4000051234567894.0,
        ["4000", "0512", "3456", "7894"],
        [4000, 1, "4000051234567894"],
        {"a": [{"b": {"c": 4000051234567894}}]},
        list("4000051234567894"),
        {"n": {"p1": "4000", "p2": "0512", "p3": "3456", "p4": "7894"}},
    ],
)
def test_value_of_any_type_is_searched(value):
    """A number is found in whatever type a database's driver returns."""
    assert "400005******7894" in {hit.shown for hit in scan_value(SCANNER, "card_number", value)}


@pytest.mark.parametrize("value", [None, True, "", b"", float("nan"), float("inf"), Decimal("NaN"), [], {}, 12, object])
def test_value_without_a_number_is_no_hit(value):
    """What holds no number is read without a hit or an error."""
    assert scan_value(SCANNER, "card_number", value) == []


def test_place_of_a_value_comes_back():
    """Each finding names the place that its value was given with."""
    rows = [((row, "pan"), "pan", 4000051234567894 if row % 3 == 0 else row) for row in range(9)]
    assert [place for place, _ in scan_values(SCANNER, rows)] == [(0, "pan"), (3, "pan"), (6, "pan")]


def test_detectors_at_rest_are_those_of_no_error():
    """Stores and logs are searched for everything but what errors show, and for canaries where there are some."""
    names = {one.name for one in detectors_at_rest()}
    errors = {name for name, one in detectors().items() if one.by_error}
    assert names == set(detectors()) - errors - {"canary"}
    canaries = Canaries([Canary("name", "a", b"some made-up name")])
    assert {one.name for one in detectors_at_rest(canaries)} == names | {"canary"}
    assert {one.name for one in detectors_at_rest(Canaries([]))} == names


def test_configured_secrets_are_found_in_every_form():
    """A target's own secrets are found as they are, encoded, and as digests, and told by the name of their setting."""
    secret = "correct-horse-" + "battery-staple"
    canaries = Canaries.of_secrets({"BILLING_AUDIT_KEY": secret, "SHORT": "abc"})
    scanner = Scanner(detectors_at_rest(canaries))
    digest = hashlib.sha256(secret.encode())
    forms = [
        secret,
        secret.upper(),
        secret[::-1],
        b64encode(f"user:{secret}".encode()).decode(),
        secret.encode().hex(),
        digest.hexdigest(),
        b64encode(digest.digest()).decode(),
    ]
    for form in forms:
        (hit,) = scanner.scan(f"key {form} used".encode())
        assert (hit.kind, hit.shown) == ("canary", "[configured secret: BILLING_AUDIT_KEY]"), form
    assert [one.label for one in canaries.too_short] == ["SHORT"]


def test_scanner_can_be_sent_to_another_process():
    """A scanner that was pickled finds the same, and is the same one each time."""
    data = pickle.dumps(SCANNER)
    there = pickle.loads(data)
    assert there.scan(b"card 4242424242424242") == SCANNER.scan(b"card 4242424242424242")
    assert pickle.loads(data) is there


def test_streams_are_what_they_say_of_each_byte():
    """Expressions over bits agree with a look at each byte."""
    data = Random(2).randbytes(5000) + b"a1B2 word WORD 0123456789" * 9
    program = Program(
        {"digit": DIGIT.run(3), "either": either("w"), "one": ~one(" ") & one("1").ahead(1), "word": word("word")}
    )
    machine = Machine([program], 8192)
    machine.load(np.frombuffer(data, np.uint8))
    inner = range(64, len(data) - 192)

    def places(name):
        return [place for place in machine.places(name).tolist() if place in inner]

    assert places("digit") == [place for place in inner if data[place : place + 3].isdigit()]
    assert places("either") == [place for place in inner if data[place : place + 1] in b"wW"]
    assert places("one") == [place for place in inner if data[place] != 32 and data[place + 1] == 49]
    assert places("word") == [place for place in inner if data.startswith(b"word", place)]


def test_an_expression_that_looks_too_far_is_refused():
    """What the overlap of the streams does not cover is an error, not a miss."""
    with pytest.raises(ValueError, match="looks too far"):
        Program({"far": DIGIT.ahead(500)})


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"card_number": "', "card_number"),
        ("card[number]=", "card[number]"),
        ("<Number>", "Number"),
        ('{\\"pan\\":\\"', "pan"),
        ("'pan' => '", "pan"),
        ("X-Card: ", "X-Card"),
        ("/cards/", "cards"),
    ],
)
def test_name_before_a_value(text, name):
    """The key of a value is read in any usual notation."""
    assert key_before(text.encode(), len(text)).text.endswith(name)


def test_words_of_a_name():
    """A name is split at its signs and cases; hexadecimal digits are no words."""
    assert words_of("cardNumber") == words_of("CARD_NUMBER") == words_of("card-number") == ("card", "number")
    assert words_of("3de86cc157dd12c5") == ()
