"""The ledger knows secrets in every encoding that the search knows, and a run tells none of what it knows."""

import base64
import gzip
import hashlib
import html
import json
import quopri
from dataclasses import replace
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payproof.canary import Ledger
from payproof.domain.events import CaseFinished, Record
from payproof.domain.finding import Finding, Severity
from payproof.domain.observation import Answer, Exchange, Sent
from payproof.domain.strings import strings_of, with_strings
from payproof.domain.verdict import Errored, Failed
from payproof.errors import Reason
from payproof.reporters import mask_report
from payproof.reporters.phrasing import describe_masking
from payproof.stripe.api import ApiRequest
from payproof.stripe.upstream.recording import record_call

SECRET = "whsec_" + "Zt5Qm8Lr2Vx9Kc4Nb7Hy1Wd6Pf3Sg0Aj"
CANARY = "0123456789abcdef"

ENCODINGS = {
    "base64": base64.b64encode,
    "base64 for URLs": base64.urlsafe_b64encode,
    "base64 without padding": lambda data: base64.b64encode(data).rstrip(b"="),
    "base64 in lines": base64.encodebytes,
    "hexadecimal": lambda data: data.hex().encode(),
    "hexadecimal in upper case": lambda data: data.hex().upper().encode(),
    "percent": lambda data: "".join(f"%{byte:02x}" for byte in data).encode(),
    "percent where needed": lambda data: quote(data, safe="").encode(),
    "escapes in hexadecimal": lambda data: "".join(f"\\x{byte:02x}" for byte in data).encode(),
    "escapes of JSON": lambda data: "".join(f"\\u{byte:04x}" for byte in data).encode(),
    "references": lambda data: "".join(f"&#{byte};" for byte in data).encode(),
    "HTML": lambda data: html.escape(data.decode("latin-1")).encode("latin-1"),
    "quoted printable": quopri.encodestring,
    "UTF-16": lambda data: data.decode("latin-1").encode("utf-16-le"),
    "gzip": lambda data: gzip.compress(data, mtime=0),
}
#: What may stand around another encoding: bytes that are no text can only be carried by some.
OUTER = ["base64", "base64 for URLs", "hexadecimal", "percent"]
FORMS = {
    "as it is": bytes,
    "upper case": bytes.upper,
    "lower case": bytes.lower,
    "reversed": lambda data: data[::-1],
    "digest": lambda data: hashlib.sha256(data).hexdigest().encode(),
}


def secretive():
    """Return a ledger that knows a target's secrets, and a value of the case that runs."""
    ledger = Ledger()
    ledger.add("secret", "webhook secret", SECRET.encode(), lasting=True)
    ledger.add("secret", "credential of owner", b"tok-8f2c6d1e9b4a7035", lasting=True)
    ledger.add("name", "canary name", b"Ada Lovelace 1815")
    return ledger


@pytest.mark.parametrize("how", ENCODINGS)
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_concealed_in_each_encoding(form, how):
    """The signing secret is masked in each form and encoding, and told with its place and how it stood there."""
    hidden = ENCODINGS[how](b'{"key": "' + FORMS[form](SECRET.encode()) + b'"}')
    text, found = secretive().conceal(b'{"debug": "' + hidden + b'", "n": 1}', "body")
    assert hidden not in text
    assert text.endswith(b'", "n": 1}')
    assert {(one.kind, one.label) for one in found} == {("secret", "webhook secret")}
    assert all(one.where.startswith("body, byte ") for one in found)


@given(
    st.sampled_from([SECRET.encode(), b"tok-8f2c6d1e9b4a7035"]),
    st.sampled_from(sorted(ENCODINGS)),
    st.lists(st.sampled_from(OUTER), max_size=2),
    st.binary(max_size=8),
    st.text("ab {}:,\"'", max_size=12).map(str.encode),
    st.text("ab {}:,\"'", max_size=12).map(str.encode),
)
@settings(max_examples=60)
def test_no_encoding_hides_a_secret(secret, inner, outer, with_it, before, after):
    """However often a secret was encoded, up to three times, and whatever stands around it: it is not told."""
    data = ENCODINGS[inner](b"k=" + secret + b" " + with_it.hex().encode())
    for one in outer:
        data = ENCODINGS[one](data)
    text, found = secretive().conceal(before + b"\n" + data + b"\n" + after)
    assert data not in text
    assert found
    assert text.startswith(before)
    assert text.endswith(after)


@given(st.lists(st.text("ab0 =+/%", max_size=30).map(str.encode), max_size=5))
@settings(max_examples=40)
def test_what_holds_no_secret_stays_as_it_is(parts):
    """Parts that hold no secret are what they were, alone and together."""
    ledger = secretive()
    assert ledger.conceal_all((part, "x") for part in parts) == [(part, ()) for part in parts]
    assert all(ledger.conceal(part) == (part, ()) for part in parts)


def test_parts_are_concealed_as_each_would_be():
    """One part with a secret is told with its own place, and does not touch the others."""
    parts = [(b"a", "header x"), (base64.b64encode(SECRET.encode()), "header y"), (b"by Ada Lovelace 1815", "body")]
    ledger = secretive()
    told = ledger.conceal_all(parts)
    assert told == [ledger.conceal(*part) for part in parts]
    assert [len(found) for _, found in told] == [0, 1, 1]


def test_a_secret_in_two_parts_is_no_secret_in_either():
    """What stands in two headers is not put together."""
    half = len(SECRET) // 2
    parts = [(SECRET[:half].encode(), "header a"), (SECRET[half:].encode(), "header b")]
    assert secretive().conceal_all(parts) == [(part, ()) for part, _ in parts]


def finished(**changes):
    """Return a case that is to be told, with a text of the target's in each place that has one."""
    sent = Sent("POST", "https://billing.example/hook", "a note", 2, "0" * 64)
    answer = Answer(500, (("x-debug", "none"),), "nothing", 7, 0.01)
    case = CaseFinished(
        id="t/s[c]",
        title="A rule",
        severity=Severity.HIGH,
        verdict=Failed((Finding("rejected", "a rejection", "status 500"),)),
        record=Record((), (Exchange(0, sent, answer),)),
        seconds=0.1,
        repeat="payproof run",
    )
    return replace(case, **changes)


@pytest.mark.parametrize("text", [SECRET, base64.b64encode(SECRET.encode()).decode(), "by Ada Lovelace 1815"])
def test_whatever_is_told_was_masked_before(text):
    """A value that nobody concealed, in a finding, a header or a detail, is masked before any report sees it."""
    exchange = finished().record.observations[0]
    ways = [
        {"verdict": Failed((Finding("rejected", "a rejection", f"status 500 {text}", evidence=(text,)),))},
        {"verdict": Errored(Reason.HARNESS_FAULT, f"a driver said {text}")},
        {"record": Record((), (replace(exchange, sent=replace(exchange.sent, note=text)),))},
        {"record": Record((), (replace(exchange, answer=replace(exchange.answer, headers=(("x", text),))),))},
        {"record": Record((), (), (), (Reason.TIMEOUT, text))},
    ]
    for changes in ways:
        case = finished(**changes)
        told, found = secretive().mask_strings(case)
        assert text not in "\n".join(strings_of(told))
        assert found
        assert (type(told.verdict), told.severity, told.seconds) == (type(case.verdict), case.severity, case.seconds)


def test_what_holds_nothing_is_told_as_it_is():
    """A case in which no value stands is the same object afterwards, and a text that may be told stays."""
    ledger = secretive()
    ledger.add("refused text", "of a request", b"pp0123456789x00000001", harmless=True)
    case = finished(repeat="curl pp0123456789x00000001")
    told, found = ledger.mask_strings(case)
    assert told is case
    assert found == ()


def test_texts_of_every_shape():
    """Texts are found and changed in dataclasses, mappings, tuples and sets; choices and numbers stay."""
    value = {"a": (Severity.HIGH, frozenset({"b"}), [1, None, finished()])}
    assert {"a", "b", "A rule", "x-debug"} <= set(strings_of(value))
    assert "high" not in set(strings_of(value))
    changed = with_strings(value, str.upper)
    assert changed["A"][:2] == (Severity.HIGH, frozenset({"B"}))
    assert changed["A"][2][2].title == "A RULE"


def test_a_masked_case_says_so():
    """A reader is told which values had to be masked at the end."""
    assert describe_masking(finished()) == ""
    assert "secret (webhook secret)" in describe_masking(finished(masked=("secret (webhook secret)",)))


@pytest.mark.parametrize("text", [SECRET, SECRET.encode().hex(), "Ada Lovelace 1815"])
def test_a_report_is_masked_and_kept(tmp_path, text):
    """What a written report holds of any value is replaced in it, and told; the rest of the report is as it was."""
    ledger = secretive()
    for _ in range(3):
        ledger.forget()
    report = tmp_path / "run.jsonl"
    report.write_text(json.dumps({"event": "run_started", "seen": text}) + "\n" + json.dumps({"event": "run_finished"}))
    report.chmod(0o640)
    assert len(mask_report(report, ledger.mask_ever)) == 1
    first, last = map(json.loads, report.read_text().splitlines())
    assert text not in first["seen"]
    assert last == {"event": "run_finished"}
    assert report.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in tmp_path.iterdir()] == ["run.jsonl"]
    assert mask_report(report, ledger.mask_ever) == ()


def call(headers, form=b"", path="/v1/customers"):
    """Return a recorded call and the ledger, after all that the ledger knew was forgotten."""
    ledger = secretive()
    ledger.add("Stripe error", "Request-Id", CANARY.encode())
    for _ in range(3):
        ledger.forget()
    request = ApiRequest("POST", path, "", {name.lower(): value for name, value in headers}, form)
    return record_call(
        request, headers, ledger, number=0, at=0.0, secure=True, connection="", elsewhere=False
    ), ledger  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "form", "path"),
    [
        (
            [("X-Stripe-Client-Telemetry", json.dumps({"last_request_metrics": {"request_id": f"req_{CANARY}"}}))],
            b"",
            "/",
        ),
        ([(f"X-{CANARY}", "1")], b"", "/"),
        ([("Idempotency-Key", f"key-{CANARY}")], b"", "/"),
        ([], f"description={CANARY}&{CANARY}=1".encode(), "/"),
        ([], b"", f"/v1/customers/{CANARY}"),
        ([("X-Debug", base64.b64encode(SECRET.encode()).decode())], b"", "/"),
    ],
)
def test_no_part_of_a_call_keeps_what_a_run_ever_made_up(headers, form, path):
    """Whatever a target's SDK repeats to Stripe, such as the id of an earlier request, the record holds none of it."""
    found, ledger = call(headers, form, path)
    told = "\n".join(strings_of(found))
    assert CANARY not in told.lower()
    assert base64.b64encode(SECRET.encode()).decode() not in told
    assert found.exposures
    assert ledger.holds_none([told.encode()])


def test_a_call_that_holds_nothing_is_kept_as_it_is():
    """What is no value of the run stays in the record, byte for byte."""
    telemetry = json.dumps({"last_request_metrics": {"request_id": "req_other", "request_duration_ms": 12}})
    found, _ = call([("X-Stripe-Client-Telemetry", telemetry)], b"description=Team")
    assert found.headers == (("x-stripe-client-telemetry", telemetry),)
    assert found.parameters == (("description", "Team"),)
    assert found.exposures == ()
