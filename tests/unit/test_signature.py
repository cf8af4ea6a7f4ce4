import base64
import json
from dataclasses import replace
from random import Random
from types import SimpleNamespace

import pytest

from payproof.errors import ConfigurationError
from payproof.stripe import forgeries
from payproof.stripe.forgeries import FORGERIES, forge
from payproof.stripe.forgery import SIGNATURE_HEADER, Delivery, Material
from payproof.stripe.signature import Diagnosis, diagnose, hexdigest, sign

BODY = b'{"id":"evt_test_webhook","object":"event"}'
NOW = 1_700_000_000
SECRET = "whsec_" + "test_secret"
ROLLED = "whsec_" + "test_secret_rolled"
DIGITS = "d95c6b7477fbd7e9f90b1b0ef5f9c7ac25abca5382460e0d988c2b2a5b71b990"
ROLLED_DIGITS = "b011f45ccc223443ade911c55ff4c418f6ee5718e37033388ac08b8f5fe5290d"
EMPTY_KEY_DIGITS = "72520bd8a1c535c0ee095bf2123441b4f93f59a36101f4eea2496cbc71007443"

# The catalogue's webhook_signature section, as far as it is a matter of header, body and signature bytes.
CATALOGUE = {
    "valid": "",
    "missing": "no_header empty_header",
    "wrong_secret": "random other_endpoint api_key publishable_key",
    "guessable_secret": "empty space tab nbsp zero_width none null undefined prefix_only prefix_dots test_secret "
    "changeme",
    "secret_from_request": "header query",
    "other_scheme": "v0_only v2 upper_v1 sha1 sha512 base64 key_without_prefix base64_decoded_key",
    "truncated": "first_1 first_8 first_32 first_63 empty_v1 digits_65",
    "body_not_covered": "body_alone timestamp_alone colon_between",
    "body_changed": "one_byte key_order whitespace unicode_escape trailing_newline bom crlf appended_duplicate_key",
    "test_event_shortcut": "test_prefix zeros livemode_false",
    "cloud_envelope": "event_bridge event_grid",
    "malformed_header": "t comma equals v1 v1_t1 t_empty plain_text only_t only_v1",
    "malformed_timestamp": "letters fraction nan inf negative digits_5000 two_31 two_63 plus leading_zeros underscore "
    "full_width",
    "non_ascii_signature": "one_byte all_bytes",
    "two_timestamps": "stale_first_signed_stale stale_first_signed_fresh fresh_first_signed_stale "
    "fresh_first_signed_fresh",
    "two_headers": "good_then_bad bad_then_good comma_joined",
    "huge_header": "entries_10000 bytes_64k",
    "expired": "301s 3600s 12345s epoch",
    "within_tolerance": "290s 1s now",
    "future": "301s 1d 1y",
    "rotation": "new_then_old old_then_new junk_then_good old_only",
    "retired_secret": "after_window",
}


def material(body: bytes = BODY, seed: int = 1) -> Material:
    """Return material of which each secret is another."""
    return Material(
        body,
        "whsec_" + "0123456789abcdefghijABCDEFGHIJKL",
        NOW,
        Random(seed),
        previous_secret=ROLLED,
        retired_secret="whsec_" + "retired",
        api_key="sk_test_" + "51abc",
        publishable_key="pk_test_" + "51abc",
    )


def forged(name: str, body: bytes = BODY) -> Delivery:
    """Forge from fresh material."""
    return forge(name, material(body))


def header_of(delivery: Delivery) -> str:
    """Return the only Stripe-Signature field."""
    (value,) = (value for name, value in delivery.headers if name == SIGNATURE_HEADER)
    return value.decode("latin-1")


def signatures_of(delivery: Delivery) -> list[str]:
    """Return the v1 entries of the only Stripe-Signature field."""
    return [entry[3:] for entry in header_of(delivery).split(",") if entry.startswith("v1=")]


def diagnosed(header: str, *, body: bytes = BODY, secret: str = SECRET, now: int = NOW) -> Diagnosis:
    """Diagnose, and hold that neither payload nor secret is told."""
    diagnosis = diagnose(body, header, secret, now=now)
    told = repr(diagnosis)
    assert len(secret.strip()) < 8 or secret not in told
    assert body.decode("utf-8", "replace") not in told
    return diagnosis


def signed(body: bytes = BODY, secret: str | bytes = SECRET) -> str:
    """Return a header that was signed now."""
    return sign(body, secrets=[secret], timestamp=NOW)


@pytest.mark.parametrize(
    ("secret", "digits"), [(SECRET, DIGITS), (ROLLED, ROLLED_DIGITS), ("", EMPTY_KEY_DIGITS), (b"", EMPTY_KEY_DIGITS)]
)
def test_known_answers(secret: str | bytes, digits: str):
    """The signatures are those that Stripe's scheme gives for known input."""
    assert hexdigest(BODY, secret, NOW) == digits
    assert sign(BODY, secrets=[secret], timestamp=NOW) == f"t={NOW},v1={digits}"


def test_one_signature_per_secret():
    """While a secret is rolled, the header carries a signature for each, in the order given."""
    assert sign(BODY, secrets=[SECRET, ROLLED], timestamp=NOW) == f"t={NOW},v1={DIGITS},v1={ROLLED_DIGITS}"


def test_another_scheme():
    """The scheme's name stands before each signature."""
    assert sign(BODY, secrets=[SECRET], timestamp=NOW, scheme="v0") == f"t={NOW},v0={DIGITS}"


def test_right_signature_verifies():
    """A signature made now, or at either end of the tolerance, verifies without a remark."""
    for now in (NOW - 300, NOW, NOW + 300):
        assert diagnosed(signed(), now=now) == Diagnosis(verifies=True, reasons=())
    assert diagnosed(f"t={NOW},v0=junk,v1=junk,v1={DIGITS}").verifies


@pytest.mark.parametrize(
    ("header", "reasons"),
    [
        ("", ["header is empty"]),
        ("signature", ["no timestamp", "no `v1`"]),
        (f"v1={DIGITS}", ["no timestamp"]),
        (f"t={NOW}", ["no `v1`"]),
        (f"t={NOW},v0={DIGITS}", ["only a `v0`"]),
        (f"t=soon,v1={DIGITS}", ["not a number"]),
        (f"t=+{NOW},v1={DIGITS}", ["not a number"]),
        (f"t={'9' * 5000},v1={DIGITS}", ["not a number"]),
        (f"t={NOW},t={NOW},v1={DIGITS}", ["2 timestamps"]),
        (f"t={NOW},v1=", ["is empty"]),
        (f"t={NOW},v1={DIGITS[:63]}", ["wrong length: 63"]),
        (f"t={NOW},v1={DIGITS[:63]}g", ["not hexadecimal"]),
        (f"t={NOW},v1={DIGITS[:63]}\u00e9", ["not hexadecimal"]),
        (f"t={NOW},v1={DIGITS.upper()}", ["upper case", "bytes are right"]),
        (f"t={NOW},v1={base64.b64encode(bytes.fromhex(DIGITS)).decode()}", ["base64", "bytes are right"]),
        (f"Stripe-Signature: t={NOW},v1={DIGITS}", ["own name", "itself matches"]),
        (f"t={NOW},v1={'0' * 64}", ["differs from what was signed"]),
    ],
)
def test_diagnosis_of_headers(header: str, reasons: list[str]):
    """What is wrong with a header is said, one sentence for each fault."""
    diagnosis = diagnosed(header)
    assert not diagnosis.verifies
    assert len(diagnosis.reasons) == len(reasons)
    for reason, words in zip(diagnosis.reasons, reasons, strict=True):
        assert words in reason


def test_diagnosis_of_age():
    """A stale or early signature that is right otherwise is said to match, and by how much it misses the time."""
    late, early = diagnosed(signed(), now=NOW + 301), diagnosed(signed(), now=NOW - 301)
    assert not late.verifies
    assert not early.verifies
    assert late.reasons[0] == early.reasons[0] == "The signature itself matches this payload and secret."
    assert "too old by 1 s" in late.reasons[1]
    assert "in the future by 301 s" in early.reasons[1]


def test_diagnosis_of_age_and_mismatch():
    """A stale signature of something else has both faults named."""
    old, other = diagnosed(f"t={NOW},v1={'0' * 64}", now=NOW + 400).reasons
    assert "too old by 100 s" in old
    assert "differs from what was signed" in other


PRETTY = b'{\n  "id": "evt_1",\n  "name": "Zo\xc3\xab"\n}'
COMPACT = '{"id":"evt_1","name":"Zoë"}'.encode()


@pytest.mark.parametrize(
    ("given", "signed_body", "words"),
    [
        (BODY + b"\n", BODY, "newline removed"),
        (BODY, BODY + b"\n", "newline added"),
        (BODY, BODY + b"\r\n", "CRLF added"),
        (PRETTY.replace(b"\n", b"\r\n"), PRETTY, "CRLF line ends turned into LF"),
        (PRETTY, PRETTY.replace(b"\n", b"\r\n"), "LF line ends turned into CRLF"),
        (b"\xef\xbb\xbf" + BODY, BODY, "byte order mark removed"),
        (BODY, b"\xef\xbb\xbf" + BODY, "byte order mark added"),
        (PRETTY, COMPACT, "as compact JSON:"),
        (COMPACT, PRETTY, "indent of 2 spaces:"),
        (COMPACT, b'{"id": "evt_1", "name": "Zo\\u00eb"}', "json.dumps, non-ASCII escaped:"),
        (b'{"name":1,"id":2}', b'{"id": 2, "name": 1}', "json.dumps, keys sorted:"),
        (COMPACT, COMPACT.decode("latin-1").encode(), "body decoded as Latin-1"),
        (COMPACT.decode("latin-1").encode(), COMPACT, "before it was decoded as Latin-1"),
    ],
)
def test_diagnosis_of_bodies(given: bytes, signed_body: bytes, words: str):
    """What happened to the body between signing and verification is found by trying."""
    (reason,) = diagnosed(signed(signed_body), body=given).reasons
    assert "right for the body" in reason
    assert words in reason


@pytest.mark.parametrize(
    ("given", "key", "words"),
    [
        (f" {SECRET}\n", SECRET, "without the whitespace"),
        (SECRET, f"{SECRET}\n", "newline after it"),
        (f'"{SECRET}"', SECRET, "without the quotes"),
        (SECRET, f'"{SECRET}"', "in quotes"),
        (SECRET, "test_secret", "without its `whsec_`"),
        ("test_secret", SECRET, "with a `whsec_`"),
        ("whsec_" + "c2VjcmV0", b"secret", "base64-decoded"),
        (SECRET, "", "left empty"),
    ],
)
def test_diagnosis_of_secrets(given: str, key: str | bytes, words: str):
    """What happened to the secret between Stripe and the configuration is found by trying."""
    (reason,) = diagnosed(signed(secret=key), secret=given).reasons
    assert "made with the secret" in reason
    assert words in reason


def test_diagnosis_of_body_and_secret():
    """Two mistakes at once are both named."""
    body, secret = diagnosed(signed(), body=BODY + b"\n", secret=f"{SECRET}\n").reasons
    assert "newline removed" in body
    assert "without the whitespace" in secret


def test_diagnosis_of_unsigned_timestamp():
    """A signature of the body alone is recognised."""
    delivery = forge("body_not_covered.body_alone", replace(material(), secret=SECRET))
    (reason,) = diagnosed(header_of(delivery)).reasons
    assert "without the timestamp" in reason


@pytest.mark.parametrize("secret", ["", " ", "\t\n"])
def test_empty_secret_never_verifies(secret: str):
    """A signature under an empty secret is right, and still does not verify."""
    diagnosis = diagnosed(signed(secret=secret), secret=secret)
    assert not diagnosis.verifies
    assert "secret is empty" in diagnosis.reasons[0]


@pytest.mark.parametrize("body", [b"\xff\xfe not text", b"", b"[" * 100_000, b'"\\ud800"'])
def test_any_bytes_are_diagnosed(body: bytes):
    """Bodies that are no text, no JSON, too deep or full of lone surrogates are diagnosed like any other."""
    (reason,) = diagnose(body, f"t={NOW},v1={'0' * 64}", SECRET, now=NOW).reasons
    assert "differs from what was signed" in reason


def test_catalogue_is_complete():
    """Every case of the catalogue has a forgery; that no forgery lies idle, the scenarios' own test says."""
    expected = {f"{scenario}.{case}" for scenario, cases in CATALOGUE.items() for case in cases.split()}
    assert expected | {"valid"} <= set(FORGERIES)


def test_two_forgeries_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch):
    """A name that two files give to a forgery is an error, not a silent replacement."""
    monkeypatch.setattr(forgeries.pkgutil, "iter_modules", lambda _: [SimpleNamespace(name="age")] * 2)
    with pytest.raises(ConfigurationError, match=r"expired\.301s"):
        forgeries._discover()


def test_scenario_means_its_first_case():
    """The name of a scenario forges the first of its cases."""
    assert forged("expired") == forged("expired.301s")
    assert forged("rotation") == forged("rotation.new_then_old")


@pytest.mark.parametrize(
    ("name", "hint"), [("expird.301s", "expired.301s"), ("missing.header", "missing.no_header"), ("xyz", "known: ")]
)
def test_unknown_forgery_names_the_nearest(name: str, hint: str):
    """A mistyped name is answered with the right ones."""
    with pytest.raises(ConfigurationError, match=name) as caught:
        forged(name)
    assert hint in str(caught.value)


@pytest.mark.parametrize("name", FORGERIES)
def test_same_seed_same_delivery(name: str):
    """A forgery is a function of its material: the same seed gives the same bytes."""
    assert forge(name, material(seed=7)) == forge(name, material(seed=7))


@pytest.mark.parametrize("name", FORGERIES)
def test_needs_are_what_is_needed(name: str):
    """With just what it needs a forgery is made, and without any of it the missing one is named."""
    optional = {"previous_secret", "retired_secret", "api_key", "publishable_key"}
    needs = FORGERIES[name].needs
    assert needs <= optional
    forge(name, replace(material(), **dict.fromkeys(optional - needs)))
    for missing in needs:
        with pytest.raises(ConfigurationError, match=missing):
            forge(name, replace(material(), **{missing: None}))


@pytest.mark.parametrize("name", FORGERIES)
def test_no_forgery_carries_the_secret(name: str):
    """The endpoint's secret is used to sign and never sent."""
    delivery = forged(name)
    sent = repr((delivery.headers, delivery.body, delivery.query))
    assert material().secret not in sent


def test_repr_tells_no_secret():
    """Neither secrets nor bodies nor signatures show in a repr."""
    some = material()
    assert repr(some).startswith("Material(now=1700000000")
    for text in (some.secret, "retired", "rolled", "51abc", "evt_test_webhook"):
        assert text not in repr(some)
    assert repr(forged("valid")) == "Delivery()"


@pytest.mark.parametrize("name", FORGERIES)
def test_only_named_forgeries_verify(name: str):
    """Of all forgeries, only the genuine ones verify strictly under the endpoint's secret."""
    delivery = forged(name)
    fields = [value.decode("latin-1") for field, value in delivery.headers if field == SIGNATURE_HEADER]
    verifies = [diagnose(delivery.body, field, material().secret, now=NOW).verifies for field in fields]
    # The endpoint's own secret signs these; two header fields, and the previous secret alone, are for targets to judge.
    genuine = name.partition(".")[0] in {"valid", "within_tolerance", "rotation", "huge_header"}
    genuine = (genuine and name != "rotation.old_only") or name == "two_headers.comma_joined"
    expected = {"two_headers.good_then_bad": [True, False], "two_headers.bad_then_good": [False, True]}
    assert verifies == expected.get(name, [genuine] * len(fields))


BODIES = [
    BODY,
    b"{}",
    b'{"":1}',
    b'{ "a" : [ { } ] }\r\n',
    b'{\n  "amount_due": 900\n}',
    b'{"amount":"9\\u0041\\n"}',
    json.dumps({"id": "evt_1", "livemode": False, "data": {"object": {"name": "Zoë", "total": 0}}}).encode(),
]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("name", [name for name in FORGERIES if name.startswith("body_changed.")])
def test_changed_bodies_differ_from_every_signed_one(name: str, body: bytes):
    """The bytes sent have no right signature, whatever JSON object the forger starts from."""
    delivery = forged(name, body)
    assert signatures_of(delivery)
    assert hexdigest(delivery.body, material().secret, NOW) not in signatures_of(delivery)
    json.loads(delivery.body)


@pytest.mark.parametrize("name", ["one_byte", "trailing_newline", "bom", "whitespace", "unicode_escape"])
def test_changed_body_is_signed_as_it_was(name: str):
    """The signature is right for the body that the forger was given."""
    assert hexdigest(BODY, material().secret, NOW) in signatures_of(forged(f"body_changed.{name}"))


def test_one_byte_changes_an_amount_first():
    """Where there is an amount, its first digit is what changes."""
    assert forged("body_changed.one_byte", b'{"id":"evt","amount_due": 900}').body == b'{"id":"evt","amount_due": 800}'
    assert forged("body_changed.one_byte", b'{"total":-5,"id":"a"}').body == b'{"total":-9,"id":"a"}'


@pytest.mark.parametrize("name", ["key_order", "whitespace", "unicode_escape", "trailing_newline", "crlf"])
@pytest.mark.parametrize("body", BODIES[:1] + BODIES[3:])
def test_rewriting_keeps_the_document(name: str, body: bytes):
    """Changes of writing leave what a parser reads as it was."""
    delivery = forged(f"body_changed.{name}", body)
    sent = json.loads(delivery.body)
    original = json.loads(body)
    assert {key: sent[key] for key in original} == original


def test_rewritten_body_passes_where_the_parsed_body_is_verified():
    """A target that verifies its own serialisation, Python's or JavaScript's, finds it signed."""
    for case in ("key_order", "whitespace", "unicode_escape"):
        delivery = forged(f"body_changed.{case}", BODIES[-1])
        document = json.loads(delivery.body)
        forms = [json.dumps(document, sort_keys=True)]
        if case != "key_order":
            forms += [json.dumps(document), json.dumps(document, separators=(",", ":"), ensure_ascii=False)]
        for form in forms:
            assert hexdigest(form.encode(), material().secret, NOW) in signatures_of(delivery)


def test_duplicate_key_wins_where_the_last_one_counts():
    """The forged id stands after the signed one, so that most parsers read it."""
    delivery = forged("body_changed.appended_duplicate_key")
    assert delivery.body.startswith(BODY[:-1])
    assert json.loads(delivery.body)["id"] != "evt_test_webhook"


@pytest.mark.parametrize("body", [b"", b"[]", b"text", b"\xff"])
def test_body_must_be_an_object(body: bytes):
    """A body that is no JSON object is the user's mistake, said plainly."""
    for name in ("body_changed.one_byte", "body_changed.key_order", "cloud_envelope.event_grid"):
        with pytest.raises(ConfigurationError, match="JSON object"):
            forged(name, body)


def test_numbers_of_header_fields():
    """Unsigned deliveries have no field, doubled ones two, all others exactly one."""
    numbers = {
        name: sum(field == SIGNATURE_HEADER for field, _ in forged(name).headers)
        for name in FORGERIES
        if name != "missing.empty_header"
    }
    unsigned = ("missing.", "test_event_shortcut.", "cloud_envelope.")
    doubled = {"two_headers.good_then_bad", "two_headers.bad_then_good"}
    assert numbers == {name: 0 if name.startswith(unsigned) else 2 if name in doubled else 1 for name in numbers}
    assert forged("missing.empty_header").headers == ((SIGNATURE_HEADER, b""),)


def test_offered_secret_is_the_one_that_signed():
    """What the request offers in headers or query is the key of its own signature."""
    offered = forged("secret_from_request.header")
    secrets = {value for name, value in offered.headers if name != SIGNATURE_HEADER}
    assert [hexdigest(BODY, secret, NOW) for secret in secrets] == signatures_of(offered)
    asked = forged("secret_from_request.query")
    assert {hexdigest(BODY, secret, NOW) for _, secret in asked.query} == set(signatures_of(asked))
    assert len(asked.query) == 3


@pytest.mark.parametrize("case", ["fraction", "plus", "leading_zeros", "underscore", "full_width"])
def test_lenient_timestamps_are_signed_as_sent_and_as_read(case: str):
    """A timestamp that a lenient parser reads as now is signed as text and as number."""
    delivery = forged(f"malformed_timestamp.{case}")
    text = header_of(delivery).encode("latin-1").decode().split(",")[0][2:]
    assert text != str(NOW)
    assert signatures_of(delivery) == [hexdigest(BODY, material().secret, reading) for reading in (text, NOW)]


def test_truncated_signatures_start_right():
    """Truncated signatures are beginnings of the right one, and the long one goes on after it."""
    right = hexdigest(BODY, material().secret, NOW)
    for case, length in (("first_1", 1), ("first_8", 8), ("first_32", 32), ("first_63", 63), ("empty_v1", 0)):
        assert signatures_of(forged(f"truncated.{case}")) == [right[:length]]
    (long,) = signatures_of(forged("truncated.digits_65"))
    assert long[:64] == right
    assert len(long) == 65


def test_secret_without_prefix_gets_one():
    """A secret without `whsec_` still gives a wrong key: the one with it."""
    bare = replace(material(), secret="0123456789abcdef")
    delivery = forge("other_scheme.key_without_prefix", bare)
    assert signatures_of(delivery) == [hexdigest(BODY, "whsec_" + "0123456789abcdef", NOW)]


def test_huge_headers_are_huge():
    """Huge headers have the announced number of entries or bytes, the right signature last."""
    many, long = forged("huge_header.entries_10000"), forged("huge_header.bytes_64k")
    assert len(signatures_of(many)) == 10_000
    assert len(header_of(long)) == 65_536
    assert signatures_of(many)[-1] == signatures_of(long)[-1] == hexdigest(BODY, material().secret, NOW)


def test_non_ascii_signatures_are_one_byte_per_digit():
    """Non-ASCII signatures are 64 bytes on the wire, so that no length check stops them."""
    one, every = forged("non_ascii_signature.one_byte"), forged("non_ascii_signature.all_bytes")
    assert [len(signature) for signature in signatures_of(one) + signatures_of(every)] == [64, 64]
    assert not signatures_of(one)[0].isascii()
    assert set(signatures_of(every)[0]) == {"\u00e9"}


def test_shortcuts_are_dressed_as_what_they_claim():
    """Unsigned bodies look like test events or cloud envelopes around a new event."""
    bodies = {
        name: json.loads(forged(name).body) for name in FORGERIES if name.startswith(("test_event", "cloud_envelope"))
    }
    assert bodies["test_event_shortcut.test_prefix"]["id"].startswith("evt_test_")
    assert bodies["test_event_shortcut.zeros"]["id"] == "evt_00000000000000"
    assert bodies["test_event_shortcut.livemode_false"]["livemode"] is False
    assert bodies["cloud_envelope.event_bridge"]["detail"]["object"] == "event"
    assert bodies["cloud_envelope.event_grid"]["specversion"] == "1.0"
    assert bodies["cloud_envelope.event_grid"]["data"]["object"] == "event"
    assert all(json.loads(BODY) != body for body in bodies.values())
