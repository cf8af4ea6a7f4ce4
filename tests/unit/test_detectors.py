import html
import json
import pickle
import re
import time

import pytest

from payproof.domain.finding import Confidence
from payproof.forms import FormDetector, _views
from payproof.registry import detectors, detectors_at_rest
from payproof.scan.canaries import Canaries, Canary

DISCLOSURE = {name: one for name, one in detectors().items() if one.by_error}
FORMS = [one for one in detectors().values() if isinstance(one, FormDetector)]
# What production answers look like; the pages of real frameworks are in fixtures/corpora/error_pages.
SAFE = [
    json.dumps(
        {
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "The request could not be verified.",
            "instance": "/webhooks/stripe",
            "traceId": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        }
    ).encode(),
    b'{"timestamp":"2026-11-23T05:00:00.000+00:00","status":500,"error":"Internal Server Error","path":"/hook"}',
    b"""<html><body><h1>Whitelabel Error Page</h1><p>This application has no explicit mapping for /error, so you
    are seeing this as a fallback.</p><div id='created'>Mon Nov 23 05:00:00 UTC 2026</div><div>There was an
    unexpected error (type=Internal Server Error, status=500).</div></body></html>""",
    b'{"error":{"code":"service_unavailable","message":"The service is not available.","reference":"8f14e45fceea"}}',
    b"server: cloudflare\ncontent-type: application/json\nx-request-id: 7d444840-9dc0-11d1-b245-5ffdce74fad2",
    b'{"received":true}',
    b"<!doctype html><title>502</title><script src='/app/assets/index.8f14e45f.js'></script><p>Please try again.</p>",
    b'{"statusCode":404,"message":"Cannot POST /webhooks/stripe/debug","error":"Not Found"}',
    b"Bad Request",
    b"",
]
LONG = 16_384


@pytest.mark.parametrize("detector", DISCLOSURE.values(), ids=lambda one: one.name)
@pytest.mark.parametrize("encode", [json.dumps, html.escape, lambda text: json.dumps(html.escape(text))])
def test_samples_are_found_in_json_and_on_pages(detector, encode):
    """What a detector finds in plain text it finds in a JSON string and on a page too."""
    for sample in detector.positive:
        written = encode(sample.decode("utf-8")).encode()
        if sample.startswith((b"x-", b"server:", b"Server:")) or b"\nserver:" in sample:
            continue  # a header stands in no string
        if b"<" in sample and encode is not json.dumps:
            continue  # a tag that is escaped is none
        assert list(detector.find(b'{"error": ' + written + b"}")), sample


def alternatives(pattern):
    """Return the alternatives of a pattern that stand in no group."""
    parts, depth, start, index = [], 0, 0, 0
    while index < len(pattern):
        match pattern[index : index + 1]:
            case b"\\":
                index += 1
            case b"[":
                index = pattern.index(b"]", index + 2)
            case b"(":
                depth += 1
            case b")":
                depth -= 1
            case b"|" if not depth:
                parts.append(pattern[start:index])
                start = index + 1
            case _:
                pass
        index += 1
    return [*parts, pattern[start:]]


@pytest.mark.parametrize("detector", FORMS, ids=lambda one: one.name)
def test_every_form_is_shown_by_a_sample(detector):
    """No alternative of a form is idle: each finds a positive sample, which holds one of the texts that it needs."""
    texts = [view.text for sample in detector.positive for view in _views(sample)]
    idle = []
    for form, _ in detector.forms._forms:
        flags = b"(?im)" if form.pattern.startswith(b"(?im)") else b""
        for alternative in alternatives(form.pattern.removeprefix(flags)):
            found = [text for text in texts if re.search(flags + alternative, text)]
            if not found or (form.needs and not all(any(need in text for need in form.needs) for text in found)):
                idle.append(alternative)
    assert not idle


@pytest.mark.parametrize("detector", DISCLOSURE.values(), ids=lambda one: one.name)
def test_safe_answers_are_no_hits(detector):
    """Production answers, and the negative samples of the other detectors that are no errors at all, are never hits."""
    for answer in SAFE:
        assert not list(detector.find(answer)), answer


@pytest.mark.parametrize("detector", DISCLOSURE.values(), ids=lambda one: one.name)
def test_hit_is_within_the_data(detector):
    """Offsets name a part of the data, what is told names no value, and an answer in LOW confidence is not made."""
    for sample in detector.positive:
        for hit in detector.find(sample):
            assert 0 <= hit.start < hit.end <= len(sample)
            assert hit.what
            assert hit.confidence in {Confidence.HIGH, Confidence.MEDIUM}


@pytest.mark.parametrize("detector", FORMS, ids=lambda one: one.name)
def test_hostile_answers_take_bounded_time(detector):
    """A target cannot keep a run busy with an answer that almost matches: no part of it is searched for long."""
    needed = b"\n".join(text for form, _ in detector.forms._forms for text in form.needs)
    pieces = {sample[:cut] for sample in detector.positive for cut in (4, 16)} | {
        b"/a",
        b"at a.",
        b"\\",
        b"<a",
        b"1.",
    }
    for piece in pieces:
        data = piece * (LONG // len(piece)) + needed
        started = time.process_time()
        for _ in detector.find(data):
            pass
        assert time.process_time() - started < 5, piece


def test_environment_hit_ends_before_a_secret():
    """What is told of an environment ends with a name; the value after it is not part of the hit."""
    secret = b"hunter2hunter2"
    for form in (
        b"DATABASE_URL=" + secret,
        b'"STRIPE_WEBHOOK_SECRET": "' + secret,
        b"<td>JWT_SECRET</td><td>" + secret,
    ):
        (hit,) = DISCLOSURE["environment_dump"].find(form)
        assert secret not in form[hit.start : hit.end]


def test_detector_of_canaries_can_be_sent_to_another_process():
    """A detector of a run's own values finds them in the processes that share a large file, too."""
    values = Canaries((Canary("name", "name", b"Ada Lovelace 5f0c1e9b7a21"),))
    (detector,) = [one for one in detectors_at_rest(values) if one.name == "canary"]
    there = pickle.loads(pickle.dumps(detector))
    data = b"billed to Ada Lovelace 5f0c1e9b7a21"
    assert list(there.find(data)) == list(detector.find(data)) != []
