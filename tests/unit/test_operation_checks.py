import json

import pytest

from payproof.checks.answered_within import AnsweredWithin
from payproof.checks.answers_as import AnswersAs
from payproof.checks.called import Called
from payproof.checks.called_at_most import CalledAtMost
from payproof.checks.done_once import DoneOnce
from payproof.checks.in_time import InTime
from payproof.checks.no_decline_code import NoDeclineCode
from payproof.checks.no_disclosure import NoDisclosure
from payproof.checks.no_redirect_followed import NoRedirectFollowed
from payproof.checks.not_retried import NotRetried
from payproof.checks.nothing_sensitive_logged import NothingSensitiveLogged
from payproof.checks.reference_logged import ReferenceLogged
from payproof.checks.refused_unsafe import RefusedUnsafe
from payproof.checks.retried_with_one_key import RetriedWithOneKey
from payproof.checks.unavailable import Unavailable
from payproof.checks.uniform import Uniform
from payproof.checks.waited import Waited
from payproof.domain.observation import Answer, Exchange, LogLines, NoAnswer, Sent, StripeCalls
from payproof.domain.operation import OperationContract
from payproof.domain.seen import Seen
from payproof.domain.sensitive import Exposure
from payproof.domain.stripe_call import KeyKind, StripeCall, StripeConnection
from payproof.domain.target import Contract
from payproof.errors import Reason

CALLS = "POST /v1/subscriptions"
CONTRACT = Contract(operations=OperationContract(declined=frozenset({402}), reference="error.reference"))


def asked(status=200, step=1, *, fault="", body="{}", seconds=0.1, calls=CALLS, called=0, **more):
    """Return an operation with its answer."""
    sent = Sent("POST", "https://t.example/subscriptions", "a note", 2, "0" * 64, fault, calls)
    answer = Answer(status, more.pop("headers", ()), body, len(body), seconds, **more)
    return Exchange(step, sent, answer, called=called)


def hung():
    """Return an operation without an answer."""
    sent = Sent("POST", "https://t.example/subscriptions", "a note", 2, "0" * 64, "", CALLS)
    return Exchange(1, sent, NoAnswer(Reason.TIMEOUT, "d", 30.0))


def call(number=0, *, key="k1", status=200, backend=200, at=0.0, path="/v1/subscriptions", digest="d", **more):
    """Return a call to Stripe."""
    return StripeCall(
        number, more.pop("method", "POST"), path, (), (), digest, KeyKind.TEST, at,
        idempotency_key=key, status=status, backend_status=backend, **more,
    )  # fmt: skip


def calls(*made, step=1):
    """Return the calls of a step."""
    return StripeCalls(step, made)


def tried(fault, failed="CERTIFICATE_UNKNOWN"):
    """Return a connection of a step that came to no call."""
    return StripeCalls(1, (), (StripeConnection(0, 0.0, secure=True, fault=fault, failed=failed),))


def refusal(reference=None):
    """Return the body of a refusal."""
    return json.dumps({"error": {"code": "c", **({} if reference is None else {"reference": reference})}})


FAILED = {"status": 500, "backend": None, "fault": "server_error", "spoiled": True}
LOST = {"fault": "reset_after", "spoiled": True, "status": None}


@pytest.mark.parametrize(
    ("check", "observations", "findings"),
    [
        (Called(), [asked(), calls(call())], 0),
        (Called(), [asked(), calls()], 1),
        (Called(), [asked(), calls(call(path="/v1/customers"))], 1),
        (Called(), [asked(), asked(), calls(call())], 1),
        (Called(), [asked(calls=""), calls()], 0),
        (Called(), [asked(fault="server_error"), calls(call(**FAILED), call(1))], 0),
        (Called(), [asked(fault="server_error"), calls(call())], 1),
        (Called(), [asked(402, fault="a"), asked(402, fault="b"), calls(call(fault="a"), call(1, fault="a"))], 1),
        (AnswersAs("declined"), [asked(402)], 0),
        (AnswersAs("declined"), [asked(503), asked(200)], 2),
        (AnswersAs("unavailable"), [asked(503), asked(202)], 0),
        (AnswersAs("unavailable"), [asked(500), asked(200), asked(402)], 3),
        (AnswersAs("misconfigured"), [asked(503), asked(401)], 1),
        (RetriedWithOneKey(), [asked(), calls(call(**FAILED), call(1))], 0),
        (RetriedWithOneKey(), [asked(), calls(call())], 1),
        (RetriedWithOneKey(), [asked(), calls()], 1),
        (RetriedWithOneKey(), [asked(), calls(call(**FAILED), call(1, key="k2"))], 1),
        (RetriedWithOneKey(), [asked(), calls(call(key=None), call(1, key=None))], 1),
        (RetriedWithOneKey(), [asked(), calls(call(), call(1, digest="e"))], 1),
        (RetriedWithOneKey(), [asked(), calls(call(), call(1, path="/v1/customers"))], 1),
        (NotRetried(), [asked(402), calls(call())], 0),
        (NotRetried(), [asked(402), calls(call(), call(1))], 1),
        (NotRetried(), [asked(402), asked(402), calls(call(), call(1))], 0),
        (NotRetried(), [asked(202, called=1), calls(call(), call(1))], 0),
        (NotRetried(), [asked(202, called=2), calls(call(), call(1))], 1),
        (NotRetried(), [asked(202, called=1), calls(call(), call(1, key="k2"))], 1),
        (NotRetried(), [asked(202, called=1), calls(call(key=None), call(1, key=None))], 1),
        (NotRetried(), [asked(402, called=1), calls(call(), call(1))], 1),
        (RefusedUnsafe(), [asked(503, fault="expired"), tried("expired")], 0),
        (RefusedUnsafe(), [asked(503, fault="expired"), tried("expired", failed="")], 0),
        (RefusedUnsafe(), [asked(503, fault="expired"), tried("")], 1),
        (RefusedUnsafe(), [asked(503, fault="expired"), tried("expired"), calls(call(connection="expired"))], 1),
        (RefusedUnsafe(), [asked(fault="a"), tried("a"), calls(call(connection="a", status=None), step=2)], 1),
        (CalledAtMost(2), [asked(503), calls(call(), call(1))], 0),
        (CalledAtMost(2), [asked(503), calls(call(), call(1), call(2))], 1),
        (CalledAtMost(0), [asked(503), calls(call())], 1),
        (Waited(2.0), [asked(), calls(call(), call(1, at=2.1))], 0),
        (Waited(2.0), [asked(), calls(call(), call(1, at=0.5), call(2, at=3.0))], 1),
        (AnsweredWithin(1.0), [asked(), asked(seconds=1.5)], 1),
        (InTime(), [asked(seconds=20)], 0),
        (InTime(), [asked(seconds=31)], 1),
        (InTime(), [hung()], 1),
        (NoRedirectFollowed(), [calls(call())], 0),
        (NoRedirectFollowed(), [calls(call(), call(1, elsewhere=True))], 1),
        (NoDeclineCode(), [asked(402, fault="card_declined.lost_card", body="declined")], 0),
        (NoDeclineCode(), [asked(402, fault="card_declined.lost_card", body='"Lost_card"')], 1),
        (NoDeclineCode(), [asked(402, fault="card_declined.lost_card", headers=(("x-why", "lost_card"),))], 1),
        (NoDeclineCode(), [asked(402, fault="card_declined.fraudulent", body="not_fraudulent_at_all")], 0),
        (NoDeclineCode(), [asked(402, fault="expired_card", body="expired_card")], 0),
        (ReferenceLogged(), [asked(402, body=refusal("r1")), LogLines(1, "log", ("ref r1",))], 0),
        (ReferenceLogged(), [asked(402, body=refusal("r1")), LogLines(1, "log", ("ref r2",))], 1),
        (ReferenceLogged(), [asked(402, body=refusal()), LogLines(1, "log", ("ref",))], 1),
        (ReferenceLogged(), [asked(402, body="no JSON"), LogLines(1, "log", ("ref",))], 1),
        (ReferenceLogged(), [asked(200), LogLines(1, "log", ())], 0),
        (Uniform(), [asked(402, body=refusal("abc")), asked(402, body=refusal("xyz"))], 0),
        (Uniform(), [asked(402, body=refusal("abc")), asked(402, body=refusal())], 1),
    ],
)  # fmt: skip
def test_checks_of_operations(check, observations, findings):
    """Each check finds what breaks its rule, in number, and nothing where the rule holds."""
    assert len(list(check.judge(Seen(CONTRACT, tuple(observations))))) == findings


@pytest.mark.parametrize(
    ("observations", "findings"),
    [
        ([asked(201), calls(call())], 0),
        ([asked(201), calls(call(**LOST), call(1, replayed=True))], 0),
        ([asked(201), calls(call(**LOST), call(1, key="k2"))], 1),
        ([asked(201), calls(call(key=None), call(1, key=None))], 1),
        ([asked(201), calls(call(**FAILED))], 1),
        ([asked(202), calls(call(**FAILED)), calls(call(1), step=2)], 0),
        ([asked(202), calls(call(**FAILED)), calls(step=2)], 1),
        ([asked(202), calls(call(**LOST)), calls(step=2)], 1),
        ([asked(202), calls(call(**LOST)), calls(call(1, key="k2"), step=2)], 1),
        ([asked(503), calls(call(**FAILED)), calls(step=2)], 0),
        ([asked(503), calls(call(**LOST)), calls(step=2)], 0),
        ([asked(503), calls(call(**LOST)), calls(call(1, key="k2"), step=2)], 1),
        ([asked(201), calls(call(status=200, fault="malformed_json", spoiled=True))], 1),
    ],
)
def test_what_is_promised_is_done_once(observations, findings):
    """A success or a promise is one success at Stripe that the target could learn of; a failure is at most one."""
    assert len(list(DoneOnce().judge(Seen(CONTRACT, tuple(observations))))) == findings


@pytest.mark.parametrize(
    ("observations", "findings"),
    [
        ([asked(503), asked(step=2), calls(), calls(call(), step=2)], 0),
        ([asked(503), asked(step=2), calls(call()), calls(call(1), step=2)], 0),
        ([asked(503), asked(step=2), calls(call()), calls(call(1, key="k2"), step=2)], 1),
        ([asked(503), asked(step=2), calls(call(key=None)), calls(call(1), step=2)], 1),
        ([asked(), asked(step=2), calls(call())], 0),
        ([asked(503), asked(step=2), calls(), calls(step=2)], 1),
    ],
)
def test_what_is_asked_for_again_is_done_once_in_all(observations, findings):
    """Of several requests for the same thing, one has its effect at Stripe, whichever of them was answered how."""
    assert len(list(DoneOnce(repeated=True).judge(Seen(CONTRACT, tuple(observations))))) == findings


@pytest.mark.parametrize(("status", "findings"), [(503, 0), (200, 1), (202, 1), (400, 1), (500, 1)])
def test_nothing_is_promised_without_a_store(status, findings):
    """Only what the contract names says that nothing can be kept: a success promises, and a crash says too much."""
    assert len(list(Unavailable().judge(Seen(CONTRACT, (asked(status), hung()))))) == findings


def test_calls_before_the_operation_are_not_its_own():
    """What was called to prepare an operation is not counted as a call of it."""
    seen = Seen(CONTRACT, (calls(call(), step=0), asked(), calls(call(1))))
    assert [one.number for one in seen.calls] == [1]


def test_only_what_the_contract_names_may_be_logged_of_an_error():
    """Stripe's request id may stand in a log, nothing else of its errors may, and in an answer not even that."""
    found = [Exposure("Stripe error", "Request-Id", "line 1"), Exposure("Stripe error", "message", "line 1")]
    in_log = Seen(CONTRACT, (LogLines(1, "log", ("x",), tuple(found)),))
    in_answer = Seen(CONTRACT, (asked(402, exposures=tuple(found)),))
    assert [finding.seen for finding in NothingSensitiveLogged().judge(in_log)] == [
        "Stripe error (message) in log log, line 1"
    ]
    assert len(list(NoDisclosure().judge(in_answer))) == 2
