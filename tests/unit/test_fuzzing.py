import asyncio
import json
import re
import shlex
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from payproof.canary import Ledger
from payproof.checks.no_echo import NoEcho
from payproof.checks.no_server_error import NoServerError
from payproof.checks.reached import Reached
from payproof.checks.uniform import Uniform
from payproof.domain.observation import Answer, Exchange, NoAnswer, Sent
from payproof.domain.request import Request
from payproof.domain.seen import Seen
from payproof.domain.target import Contract
from payproof.errors import ConfigurationError, InconclusiveError, Reason, TargetGoneError
from payproof.fuzzing.canaries import FuzzingCanaries, card_number
from payproof.fuzzing.curl import curl_line
from payproof.fuzzing.openapi import fuzz_openapi
from payproof.fuzzing.planting import bodies, places, replace_value
from payproof.fuzzing.routes import fuzz_routes
from payproof.fuzzing.search import RequestSearch
from payproof.language import read_openapi
from tests.effort import examples

KINDS = ("bodies", "encodings", "headers", "methods", "malformed")
DOCUMENT = {
    "openapi": "3.0.3",
    "info": {"title": "t", "version": "1"},
    "servers": [{"url": "https://elsewhere.example/api"}],
    "paths": {
        "/notes": {
            "post": {
                "requestBody": {
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "properties": {"text": {"type": "string"}, "count": {"type": "integer"}},
                                "required": ["text"],
                            }
                        }
                    }
                },
                "responses": {"200": {"description": "taken"}},
            }
        },
        "/notes/{id}": {
            "get": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "minimum": 1}},
                ],
                "responses": {"200": {"description": "told"}},
            }
        },
    },
}


class FakeContext:
    """A target in memory, judged by two checks; keeps what it was sent and what was to be concealed."""

    def __init__(self, answer=lambda _request: Answer(422, (), "", 0, 0.0), seed=1):
        self.random = Random(seed)
        self.sent, self.concealed, self.offered, self.answer, self.canaries = [], [], [], answer, self
        self.target = type("Target", (), {"url": "https://t.example"})()

    def conceal(self, kind, label, value):
        self.concealed.append((kind, label, value))

    trace = conceal

    def note_offered(self, kind, label, value):
        self.offered.append((kind, label, value))

    async def send(self, request):
        self.sent.append(request)
        sent = Sent(
            request.method,
            request.target,
            request.note,
            len(request.body),
            "",
            request.variant,
            example=request.example,
        )
        return Exchange(0, sent, self.answer(request))

    def judge_alone(self, exchange):
        seen = Seen(Contract(), (exchange,))
        return tuple(finding for check in (NoServerError(), NoEcho()) for finding in check.judge(seen))


def searched(context, fuzz, *, requests=200, seconds=300.0):
    """Let a fuzzer run on a context; return the search."""

    async def run():
        search = RequestSearch(context, requests=requests, seconds=seconds)
        await asyncio.to_thread(fuzz, search)
        search.settle()
        return search

    return asyncio.run(run())


def by_routes(kind, examples=40, headers=()):
    """Return a fuzzer of two routes."""
    routes = [("POST", "/hook"), ("GET", "/notes/{}")]
    return lambda search: fuzz_routes(
        routes, search, kind=kind, examples=examples, base="https://t.example", headers=headers
    )


def by_openapi(kind="invalid", examples=20, document=DOCUMENT, headers=()):
    """Return a fuzzer of a document."""
    return lambda search: fuzz_openapi(document, search, kind=kind, examples=examples, headers=headers)


def test_digits_that_are_a_card_number_by_chance_are_known():
    """A search names what a made-up request holds by chance where a log holds it, and answers may say it."""
    by_chance, odd = b"3782" + b"82246310005", b"3782" + b"82246310006"
    request = Request(
        "GET", f"/notes?limit={by_chance.decode()}", ((b"X-A", odd),), b"", "made up", variant="GET /notes"
    )
    context = FakeContext()
    searched(context, lambda search: search.send(request))
    label = "offered in a made-up request"
    assert context.offered == [("card number", label, by_chance)]
    ledger = Ledger()
    ledger.note_offered("card number", label, by_chance)
    assert [*ledger.offered] == [by_chance]
    assert ledger.conceal(by_chance) == (by_chance, ())


@given(st.integers(0, 2**32))
def test_card_numbers_are_valid(seed):
    """A made-up card number has 16 digits, and Luhn's check takes it."""
    number = card_number(Random(seed))
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    assert len(number) == 16
    assert sum(digit - 9 if digit > 9 else digit for digit in doubled) % 10 == 0


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


@given(JSON)
@settings(max_examples=examples(60))
def test_each_place_can_be_replaced(value):
    """What is put in a place stands there, and the value that was given stays as it was."""
    before = json.dumps(value)
    for place in places(value):
        here = replace_value(value, place, "new")
        for step in place:
            here = here[step]
        assert here == "new"
    assert json.dumps(value) == before


def test_bodies_hold_canaries():
    """Every variant of a body holds a canary."""
    canaries = FuzzingCanaries.of(Random(1))
    made = [json.dumps(body) for body in bodies({"a": ["x", 1]}, canaries)]
    assert made
    assert all(canaries.text in body or canaries.number in body for body in made)


def test_the_curl_line_is_one_that_a_shell_reads_back():
    """The line quotes what a shell would read otherwise."""
    request = Request("POST", "/a?b=c&d", ((b"X-A", b"it's"),), b'{"a": "$b"}', "")
    line = shlex.split(curl_line("https://t.example", request))
    assert line[1:] == [
        "--path-as-is", "-X", "POST", "https://t.example/a?b=c&d", "-H", "X-A: it's", "--data-binary", '{"a": "$b"}'
    ]  # fmt: skip


def made_of(context):
    """Return all that was sent as one text, without werkzeug's own randomness."""
    made = repr([(one.method, one.target, one.headers, one.body, one.wire) for one in context.sent])
    return re.sub(r"WerkzeugFormPart_[0-9.]+", "boundary", made)


@pytest.mark.parametrize("fuzz", [*(by_routes(kind) for kind in KINDS), by_openapi("valid"), by_openapi("boundaries")])
def test_one_seed_makes_the_same_requests(fuzz):
    """The same seed makes the same requests in the same order."""
    sent = []
    for _ in range(2):
        context = FakeContext()
        searched(context, fuzz)
        sent.append(made_of(context))
    assert sent[0] == sent[1]


@pytest.mark.parametrize("fuzz", [*(by_routes(kind) for kind in KINDS), by_openapi("valid"), by_openapi("boundaries")])
def test_the_source_of_whoever_runs_it_makes_no_difference(fuzz, monkeypatch):
    """Hypothesis draws from constants of imported modules; none of those is sent, and the seed decides alone."""
    sent = []
    for constants in (Constants(), Constants(strings={"of a local module"}, bytes={b"of one"}, integers={4_711_471})):
        monkeypatch.setattr(providers, "_get_local_constants", lambda constants=constants: constants)
        providers.CONSTANTS_CACHE.cache.clear()
        context = FakeContext()
        searched(context, fuzz)
        sent.append(made_of(context))
    assert sent[0] == sent[1]


@pytest.mark.parametrize("fuzz", [by_routes("bodies"), by_openapi()])
def test_requests_are_bounded(fuzz):
    """No more requests are sent than are allowed, and a route that had none makes the case unknown."""
    context = FakeContext()
    searched(context, fuzz, requests=60)
    assert len(context.sent) <= 60
    with pytest.raises(InconclusiveError) as caught:
        searched(FakeContext(), fuzz, requests=1)
    assert caught.value.reason is Reason.BUDGET_SPENT


@pytest.mark.parametrize("fuzz", [by_routes("bodies"), by_openapi("valid", 60)])
def test_a_failure_is_shrunk(fuzz):
    """Of all requests that make the target fail the same way, the smallest is told, with a line that repeats it."""

    def answer(request):
        return Answer(500 if b"400000" in request.body else 422, (), "", 0, 0.0)

    context = FakeContext(answer)
    search = searched(context, fuzz, requests=2000)
    failed = [one for one in search.exchanges if one.answer.status == 500]
    assert failed
    assert len(failed) <= 2
    assert all(one.sent.length < 150 for one in failed)
    assert all(one.sent.example.startswith("curl ") for one in failed)


@pytest.mark.parametrize("fuzz", [by_routes("bodies"), by_openapi("valid")])
def test_what_an_error_says_back_is_found(fuzz):
    """A text of the request in the answer to it is an echo when the request is refused, and none when it is taken."""
    for status, found in ((422, True), (200, False)):
        context = FakeContext(lambda request, status=status: Answer(status, (), request.body.decode("latin-1"), 0, 0.0))
        search = searched(context, fuzz)
        assert bool(search.found) is found
        assert any(one.answer.echoes for one in search.exchanges) is found


@pytest.mark.parametrize(("name", "found"), [("access-control-allow-origin", False), ("x-origin", True)])
def test_an_origin_is_said_back_by_cors(name, found):
    """Where the protocol has the origin said back, that is no echo; in any other header it is one."""

    def answer(request):
        said = b" ".join([request.wire, request.body, *(value for _, value in request.headers)])
        return Answer(422, ((name, said.decode("latin-1")),), "", 0, 0.0)

    search = searched(FakeContext(answer), by_routes("bodies"))
    assert any(one.answer.echoes for one in search.exchanges) is found


def test_refused_texts_are_looked_for():
    """What a refused request held in its body alone is to be found nowhere; what was accepted may be."""
    context = FakeContext(lambda _request: Answer(422, (), "", 0, 0.0))
    searched(context, by_routes("bodies"))
    looked_for = {value for kind, _, value in context.concealed if kind == "refused text"}
    sent = {token for token in looked_for if any(token in request.body for request in context.sent)}
    assert looked_for
    assert looked_for == sent
    accepting = FakeContext(lambda _request: Answer(200, (), "", 0, 0.0))
    searched(accepting, by_routes("bodies"))
    assert not [kind for kind, _, _ in accepting.concealed if kind == "refused text"]


def test_requests_of_a_document_go_to_the_target_as_who_asks():
    """Of the server that the document names only the path counts, and no credential is sent but that of who asks."""
    context = FakeContext()
    searched(context, by_openapi("invalid", headers=((b"Authorization", b"Bearer right"),)))
    assert context.sent
    for request in context.sent:
        assert request.target.startswith("/api/notes")
        assert [value for name, value in request.headers if name.lower() == b"authorization"] == [b"Bearer right"]
        assert all(name.lower() not in {b"host", b"content-length"} for name, _ in request.headers)


def test_queries_are_passed_on():
    """What is made up for a query goes out with the request."""
    context = FakeContext()
    searched(context, by_openapi("invalid"))
    assert any("limit=" in request.target for request in context.sent)


def test_silence_is_no_finding_for_what_is_malformed():
    """A malformed request that gets no answer is not told; that the target still answers others is asked after it."""
    silence = NoAnswer(Reason.UNREACHABLE, "closed", 0.0)
    context = FakeContext(lambda request: silence if request.wire else Answer(422, (), "", 0, 0.0))
    search = searched(context, by_routes("malformed"))
    assert all(isinstance(one.answer, Answer) for one in search.exchanges)
    broken = sum(bool(request.wire) for request in context.sent)
    assert len(context.sent) - broken == broken + 2  # and one sound one for each route at first


@pytest.mark.parametrize("fuzz", [by_routes("bodies"), by_openapi()])
def test_silence_ends_the_search(fuzz):
    """A target that does not answer is asked no more, and its silence is told."""
    context = FakeContext(lambda _request: NoAnswer(Reason.UNREACHABLE, "closed", 0.0))
    search = searched(context, fuzz)
    assert len(context.sent) == 1
    assert [type(one.answer) for one in search.exchanges] == [NoAnswer]


def exchange(status, body="", *, step=0, variant="GET /a", echoes=(), example="curl x"):
    """Return an exchange."""
    return Exchange(
        step, Sent("GET", "u", "", 0, "", variant, example=example), Answer(status, (), body, 0, 0, (), echoes=echoes)
    )


def test_no_echo_tells_place_and_request():
    """Each place of an echo is a finding with the request as evidence; the note counts what was sent."""
    seen = Seen(Contract(), (exchange(422, echoes=("body",)), exchange(200)))
    (finding,) = NoEcho().judge(seen)
    assert finding.seen == "in the body of an answer with status 422"
    assert finding.evidence == ("curl x",)
    assert NoEcho().note(seen) == "2 requests made up over 1 routes, answered 1 times 2xx, 1 times 4xx"


def test_reached_wants_one_success_in_each_step():
    """A step of which every request was refused reached nothing."""
    seen = Seen(Contract(), (exchange(401), exchange(200), exchange(401, step=1), exchange(404, step=1)))
    (finding,) = Reached().judge(seen)
    assert (finding.step, finding.seen) == (1, "of 2 only 401, 404")


def test_refusals_are_compared_by_route_and_status():
    """With statuses, an answer differs only from others of its route and status."""
    seen = Seen(
        Contract(),
        (
            exchange(401, "a"),
            exchange(401, "a"),
            exchange(401, "b"),
            exchange(401, "c", variant="GET /b"),
            exchange(422, "d"),
        ),
    )
    (finding,) = Uniform(statuses=(401,)).judge(seen)
    assert finding.seen == "body 'b' instead of 'a'"
    assert not Uniform(statuses=(401,)).note(seen)


@pytest.mark.parametrize(("status", "fails"), [(499, False), (500, True), (501, False), (503, True), (505, False)])
def test_what_is_not_implemented_is_no_failure(status, fails):
    """501 and 505 refuse a method or version; every other status from 500 on is a failure."""
    assert bool(list(NoServerError().judge(Seen(Contract(), (exchange(status),))))) is fails


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"{", "x:2: the OpenAPI document is neither JSON nor YAML: "),
        (b"a: [", "x:2: the OpenAPI document is neither JSON nor YAML: "),
        (b"just text", "x: no OpenAPI document: it names no version"),
        (b"[1]", "x: no OpenAPI document"),
        (b'{"openapi": "4.0.0", "paths": {}}', "x: OpenAPI 4.0.0 is not known"),
        (b'{"openapi": "3.0.0"}', "x: the OpenAPI document describes no operation"),
        (b'{"openapi": "3.0.0", "paths": {"/a": {}}}', "x: the OpenAPI document describes no operation"),
        (
            b'{"openapi": "3.0.0", "paths": {"/a": {"get": {"$ref": "https://x.example/y"}}}}',
            "x: the OpenAPI document refers to another one, 'https://x.example/y'; bundle them into one",
        ),
    ],
)
def test_documents_that_are_refused(text, said):
    """A document that could not be fuzzed is refused in one line that says where it is and what is wrong."""
    with pytest.raises(ConfigurationError) as caught:
        read_openapi(text, "x")
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def test_documents_in_yaml():
    """YAML is read as JSON is, numbers as keys too, and each operation has its turn."""
    text = b"""
        openapi: 3.0.3
        info: {title: t, version: '1'}
        paths: {/a: {get: {responses: {200: {description: d}}}}}
    """
    context = FakeContext()
    searched(context, by_openapi("valid", document=read_openapi(text, "x")))
    assert {request.target.partition("?")[0] for request in context.sent} == {"/a"}


def test_long_documents_are_json():
    """What a server publishes in YAML has a bound, as a hostile one takes minutes and gigabytes; JSON has none."""
    text = b'{"openapi": "3.0.3", "paths": {"/a": {"get": {}}}}'
    assert read_openapi(text, "x", yaml_bytes=10)["openapi"] == "3.0.3"
    assert read_openapi(text + b" # YAML", "x", yaml_bytes=100)["openapi"] == "3.0.3"
    with pytest.raises(ConfigurationError, match="is no JSON, and longer than the 10 bytes that YAML may have"):
        read_openapi(text + b" # YAML", "x", yaml_bytes=10)


def test_documents_that_schemathesis_cannot_use():
    """An operation of which no request can be made makes the case unknown, and never a pass."""
    broken = json.loads(json.dumps(DOCUMENT))
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": "#/nowhere"}}}}
    broken["paths"]["/notes"]["post"]["requestBody"] = body
    with pytest.raises(InconclusiveError) as caught:
        searched(FakeContext(), by_openapi("valid", document=broken))
    assert "POST /notes" in caught.value.detail


def test_nothing_is_written(tmp_path, monkeypatch):
    """No fuzzer leaves a file, and none reads the user's settings of schemathesis."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "schemathesis.toml").write_text("this is no TOML")
    searched(FakeContext(), by_openapi())
    searched(FakeContext(), by_routes("bodies"))
    assert [path.name for path in tmp_path.iterdir()] == ["schemathesis.toml"]


def expiring(after, status=401):
    """Return a target that lets so many requests in, and none after that."""
    answered = 0

    def answer(request):
        nonlocal answered
        answered += 1
        taken = 200 if request.method == "GET" else 422
        return Answer(taken if answered <= after else status, (), "", 0, 0.0)

    return answer


def confirmed(context, fuzz, **more):
    """Let a fuzzer run, then ask each route again; return what is unknown, by its detail."""

    async def run():
        search = RequestSearch(context, requests=60, seconds=300.0)
        await asyncio.to_thread(fuzz, search)
        await search.confirm(**more)
        search.settle()
        return search

    search = asyncio.run(run())
    silent = [one.answer for one in search.exchanges if isinstance(one.answer, NoAnswer)]
    assert {answer.reason for answer in silent} <= {Reason.CONTROL_FAILED}
    return [answer.detail for answer in silent]


@pytest.mark.parametrize("kind", KINDS)
def test_routes_that_let_requests_in_to_the_end_are_known(kind):
    """A target that answers at the end as it did at the beginning leaves nothing unknown."""
    assert confirmed(FakeContext(expiring(10_000)), by_routes(kind, 5)) == []


@pytest.mark.parametrize(
    ("kind", "status"), [("bodies", 401), ("headers", 403), ("encodings", 429), ("malformed", 401)]
)
def test_a_token_that_expires_makes_the_routes_unknown(kind, status):
    """Where requests are let in no more at the end, each route is told as unknown, with what it was answered."""
    told = confirmed(FakeContext(expiring(8, status)), by_routes(kind, 5))
    assert len(told) == 2
    assert told[0].startswith("GET /notes/{} was answered 200 before")
    assert all(f"and {status} after the made-up requests" in one for one in told)


@pytest.mark.parametrize("kind", KINDS)
def test_a_target_that_is_gone_once_ends_the_search_as_such(kind):
    """What ends a search is told as itself, also where the same request does not end it a second time."""
    context, gone = FakeContext(), []

    def answer(request):
        if len(context.sent) == 4 and not gone:
            gone.append(request)
            raise TargetGoneError("no answer came", "curl")
        return Answer(422, (), "", 0, 0.0)

    context.answer = answer
    with pytest.raises(TargetGoneError, match="no answer came"):
        searched(context, by_routes(kind, 10))


def test_a_route_that_lets_nobody_in_is_unknown():
    """A route of which every request was refused for its credential says nothing, unless the control has shown it."""
    told = confirmed(FakeContext(expiring(0)), by_routes("bodies", 5))
    assert told == [
        "GET /notes/{} let no request in: it was answered 401",
        "POST /hook let no request in: it was answered 401",
    ]
    assert len(confirmed(FakeContext(expiring(0)), by_routes("bodies", 5), but={"POST /hook"})) == 1


def test_operations_of_a_document_are_asked_again():
    """A token that expires while a document is fuzzed makes its operations unknown, too."""
    document = read_openapi(json.dumps(DOCUMENT).encode(), "x")

    def fuzz(search):
        fuzz_openapi(document, search, kind="valid", examples=5, headers=())

    assert confirmed(FakeContext(expiring(10_000)), fuzz) == []
    told = confirmed(FakeContext(expiring(4)), fuzz)
    assert [one.partition(" was ")[0].partition(" let ")[0] for one in told] == ["GET /notes/{id}", "POST /notes"]


def test_what_was_found_stands_beside_an_expired_token():
    """A finding is none the less one when the token has expired since."""
    count = iter(range(10_000))
    context = FakeContext(lambda _request: Answer(500 if next(count) < 5 else 401, (), "", 0, 0.0))
    assert confirmed(context, by_routes("bodies", 5)) == []
