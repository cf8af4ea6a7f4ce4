import json

import pytest

from harness.checks.absent_or_rejected import AbsentOrRejected
from harness.checks.accepted import Accepted
from harness.checks.applied import Applied
from harness.checks.consistent import Consistent
from harness.checks.in_time import InTime
from harness.checks.no_disclosure import NoDisclosure
from harness.checks.no_server_error import NoServerError
from harness.checks.not_stored import NotStored
from harness.checks.nothing_changed import NothingChanged
from harness.checks.refused_or_accepted import RefusedOrAccepted
from harness.checks.rejected import Rejected
from harness.checks.rejection_logged import RejectionLogged
from harness.checks.same_decision import SameDecision
from harness.domain.contracts import Seen
from harness.domain.observation import Answer, Exchange, LogLines, NoAnswer, Sent, StoreChange, TableChange
from harness.domain.sensitive import Exposure
from harness.domain.target import Contract, RejectionRecord
from harness.errors import Reason

SENT = Sent("POST", "https://billing.example/hook", "a note", 2, "0" * 64)
SHAPE = RejectionRecord({"event": "rejected"}, "cause", "at.time", "origin", "result")
RECORD = {"event": "rejected", "cause": "expired", "at": {"time": "now"}, "origin": "10.0.0.1", "result": "rejected"}
EXPOSED = (Exposure("name", "canary name", "byte 1"),)


def http(status, step=0, **more):
    """Return an answer."""
    return Exchange(step, SENT, Answer(status, more.pop("headers", ()), more.pop("body", ""), 0, 0.01, **more))


def silence(reason=Reason.TIMEOUT, step=0):
    """Return a request without an answer."""
    return Exchange(step, SENT, NoAnswer(reason, "d", 1.0))


def store(*tables, step=0, log=False, **more):
    """Return a look into a store."""
    return StoreChange(step, "db", tuple(TableChange(table, 1, 0, log) for table in tables), **more)


def log(*lines, step=0, **more):
    """Return what a log gained."""
    return LogLines(step, "log", tuple(one if isinstance(one, str) else json.dumps(one) for one in lines), **more)


@pytest.mark.parametrize(
    ("check", "observations", "findings"),
    [
        (Accepted(), [http(200), http(204)], 0),
        (Accepted(), [http(200), http(302), http(500)], 2),
        (Accepted(), [silence()], 0),
        (Rejected(), [http(400), http(401), http(403)], 0),
        (Rejected(), [http(404), http(500), http(200)], 3),
        (AbsentOrRejected(), [http(404)], 0),
        (AbsentOrRejected(), [http(307), http(401)], 0),
        (AbsentOrRejected(), [http(401), http(200)], 1),
        (RefusedOrAccepted(), [http(200), http(404)], 0),
        (RefusedOrAccepted(), [http(302), http(500)], 2),
        (NoServerError(), [http(200), http(499)], 0),
        (NoServerError(), [http(500), http(503)], 2),
        (SameDecision(), [http(401), http(401)], 0),
        (SameDecision(), [http(401), http(200, 1), silence(step=2)], 1),
        (InTime(), [http(200), silence(Reason.UNREACHABLE)], 0),
        (InTime(), [silence()], 1),
        (NothingChanged(), [store()], 0),
        (NothingChanged(), [store("audit", log=True)], 0),
        (NothingChanged(), [store("a", "b"), store("c", step=1)], 3),
        (Applied(), [store("a")], 0),
        (Applied(), [store()], 1),
        (Applied(), [store("audit", log=True)], 1),
        (Applied(), [store("a"), store("a", step=1)], 1),
        (Applied(), [store(), store("a", step=1)], 2),
        (Consistent(), [http(401), store()], 0),
        (Consistent(), [http(401), store("a")], 1),
        (Consistent(), [http(200), store("a")], 0),
        (Consistent(), [http(401), http(200), store("a")], 0),
        (Consistent(), [http(200), store("a"), http(400, 1), store("b", step=1)], 1),
        (NotStored(), [store("a")], 0),
        (NotStored(), [store("a", exposures=EXPOSED)], 1),
        (NoDisclosure(), [http(200, body="ok"), log("ok")], 0),
        (NoDisclosure(), [http(200, exposures=EXPOSED), log("ok", exposures=EXPOSED)], 2),
        (RejectionLogged(), [http(401), log(RECORD)], 0),
        (RejectionLogged(), [http(401), log("x=1 " + json.dumps(RECORD), "noise", "{not json", "[]")], 0),
        (RejectionLogged(), [http(401), log()], 1),
        (RejectionLogged(), [http(401), log({**RECORD, "event": "accepted"})], 1),
        (RejectionLogged(), [http(401), http(401), log(RECORD)], 1),
        (RejectionLogged(), [http(401), log(RECORD), http(401, 1), log(step=1)], 1),
        (RejectionLogged(), [http(401), log({**RECORD, "cause": None})], 1),
        (RejectionLogged(), [http(401), log({**RECORD, "at": "now"})], 1),
        (RejectionLogged(), [http(401), log({**RECORD, "cause": "x" * 500})], 1),
        (RejectionLogged(), [http(401), log("{" * 100_000)], 1),
    ],
)
def test_check(check, observations, findings):
    """A check has a finding for each observation that breaks it, named after itself, and none for the others."""
    seen = Seen(Contract(rejection_record=SHAPE), tuple(observations))
    found = list(check.judge(seen))
    assert len(found) == findings
    assert {finding.check for finding in found} <= {check.name}
    assert all(finding.expected and finding.seen for finding in found)


def test_rejection_record_that_the_contract_does_not_describe():
    """Without a description of the record none can be found."""
    assert len(list(RejectionLogged().judge(Seen(Contract(), (http(401), log(RECORD)))))) == 1


def test_contract_says_what_rejected_means():
    """The statuses of the contract are those of a rejection."""
    seen = Seen(Contract(rejected=frozenset({422})), (http(422), http(401)))
    (finding,) = Rejected().judge(seen)
    assert (finding.expected, finding.seen) == ("rejection with status 422", "status 401")


def test_exposure_is_told_without_its_value():
    """A disclosure is told by kind, label and place."""
    (finding,) = NoDisclosure().judge(Seen(Contract(), (http(200, exposures=EXPOSED),)))
    assert finding.seen == "name (canary name) in the answer, byte 1"


def test_internals_in_an_answer_are_a_finding():
    """A stack trace in an answer's body is a disclosure, with the place as evidence."""
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\nValueError: no\n'
    found = list(NoDisclosure().judge(Seen(Contract(), (http(500, body=trace),))))
    assert found
    assert all(finding.check == "no_disclosure" and finding.evidence for finding in found)
