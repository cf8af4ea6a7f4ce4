import json
from dataclasses import replace

import pytest

from payproof.checks import no_disclosure
from payproof.checks.absent_or_rejected import AbsentOrRejected
from payproof.checks.accepted import Accepted
from payproof.checks.answered import Answered
from payproof.checks.applied import Applied
from payproof.checks.consistent import Consistent
from payproof.checks.in_time import InTime
from payproof.checks.no_disclosure import NoDisclosure
from payproof.checks.no_server_error import NoServerError
from payproof.checks.not_stored import NotStored
from payproof.checks.nothing_changed import NothingChanged
from payproof.checks.nothing_sensitive_logged import NothingSensitiveLogged
from payproof.checks.refused_or_accepted import RefusedOrAccepted
from payproof.checks.rejected import Rejected
from payproof.checks.rejection_logged import RejectionLogged
from payproof.checks.same_decision import SameDecision
from payproof.checks.uniform import Uniform
from payproof.domain.check import Expectation
from payproof.domain.detector import Detector, Hit
from payproof.domain.finding import Confidence
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Exchange, LogLines, NoAnswer, Sent, StoreChange, TableChange
from payproof.domain.seen import Seen
from payproof.domain.sensitive import Exposure
from payproof.domain.target import Contract, Kept, RejectionRecord
from payproof.errors import Reason

SENT = Sent("POST", "https://billing.example/hook", "a note", 2, "0" * 64)
SHAPE = RejectionRecord({"event": "rejected"}, "cause", "at.time", "origin", "result")
RECORD = {"event": "rejected", "cause": "expired", "at": {"time": "now"}, "origin": "10.0.0.1", "result": "rejected"}
EXPOSED = (Exposure("name", "canary name", "byte 1"),)


def http(status, step=0, role="", **more):
    """Return an answer."""
    return Exchange(
        step, replace(SENT, role=role), Answer(status, more.pop("headers", ()), more.pop("body", ""), 0, 0.01, **more)
    )


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
        (AbsentOrRejected(), [http(307), http(401, role="moved")], 0),
        (AbsentOrRejected(), [http(307), http(401)], 0),
        (AbsentOrRejected(), [http(200), store()], 0),
        (AbsentOrRejected(), [http(301), store()], 0),
        (AbsentOrRejected(), [http(401), http(200), store("a")], 1),
        (AbsentOrRejected(), [http(200), http(200, role="nowhere"), store("a")], 1),
        (AbsentOrRejected(), [http(200), store("journal", log=True)], 0),
        (AbsentOrRejected(), [http(500), store()], 1),
        (AbsentOrRejected(), [http(500)], 1),
        (AbsentOrRejected(), [http(500, body="a"), http(500, role="nowhere", body="a"), store()], 0),
        (Answered(), [http(500), silence()], 0),
        (Answered(), [http(200), silence(Reason.UNREACHABLE)], 1),
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
        (NoDisclosure(), [http(200, exposures=EXPOSED), log("ok", exposures=EXPOSED)], 1),
        (NothingSensitiveLogged(), [http(200, exposures=EXPOSED), log("ok")], 0),
        (NothingSensitiveLogged(), [log("ok", exposures=EXPOSED), log("ok", exposures=EXPOSED)], 2),
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


def test_personal_data_is_stored_where_the_contract_keeps_it():
    """A listed column may hold a name, and no other column may; a secret may stand in none."""
    name, elsewhere, secret = (
        Exposure(kind, "canary", "byte 1", "customers", column)
        for kind, column in (("name", "name"), ("name", "notes"), ("secret", "name"))
    )
    contract = Contract(keeps=(Kept("customers", "name", "shown to its clerks"),))
    seen = Seen(contract, (store("customers", exposures=(name, elsewhere, secret)),))
    told = [finding.seen for finding in NotStored().judge(seen)]
    assert told == ["name (canary) in db, byte 1", "secret (canary) in db, byte 1"]


def test_place_without_a_store_is_judged_by_what_a_genuine_delivery_gets():
    """Without a store an answer like that to a genuine delivery is a finding; any other is not judged."""
    control = (http(200, body="received"),)
    taken = Seen(Contract(), (http(200, body="received"), http(404, role="nowhere")), control)
    assert len(list(AbsentOrRejected().judge(taken))) == 1
    page = Seen(Contract(), (http(200, body="page"), http(404, role="nowhere")), control)
    assert list(AbsentOrRejected().judge(page)) == []
    assert len(list(AbsentOrRejected().find_unjudged(page))) == 1


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


VERSION = "version of the server's software"
NGINX = (("server", "nginx/1.22.1"),)
TRACE = "Error: no\n    at hook (/srv/app/hook.js:3:9)"
OTHER = Sent("POST", "https://billing.example/hook/debug", "a note", 2, "0" * 64)


@pytest.mark.parametrize(
    ("answer", "control", "told"),
    [
        (http(401, headers=NGINX), (), {VERSION}),
        (http(401, headers=NGINX), (http(200, headers=NGINX),), set()),
        (http(401, headers=NGINX), (http(200, headers=(("server", "nginx/1.20.0"),)),), {VERSION}),
        (http(401, headers=NGINX), (http(500, headers=NGINX), silence(), log("server: nginx/1.22.1")), {VERSION}),
        (replace(http(401, headers=NGINX), sent=OTHER), (http(200, headers=NGINX),), set()),
        (http(200, headers=NGINX), (), set()),
        (http(401, body="see /srv/app/hook.py"), (http(200, body="see /srv/app/hook.py"),), set()),
        (
            http(401, body="see /srv/app/hook.py"),
            (http(200, headers=(("x-at", "/srv/app/hook.py"),)),),
            {"path of a file"},
        ),
        (
            replace(http(401, body="see /srv/app/hook.py"), sent=OTHER),
            (http(200, body="see /srv/app/hook.py"),),
            {"path of a file"},
        ),
        (http(401, body="see /srv/app/hook.py"), (http(200, body="see /srv/app/hook.pyc"),), {"path of a file"}),
        (http(200, body="see /srv/app/hook.py"), (), set()),
        (http(200, body=TRACE), (), {"Node stack frame"}),
        (http(401, body=json.dumps({"stack": TRACE})), (), {"Node stack frame", "path of a file"}),
        (http(404, body="No /usr/lib/x.py here"), (), {"path of a file"}),
        (
            replace(
                http(404, body="No /usr/lib/x.py here"), sent=replace(SENT, url="https://billing.example/usr/lib/x.py")
            ),
            (),
            set(),
        ),
        (http(502, headers=(("x-upstream", "10.1.2.3:80"),)), (), {"private address"}),
    ],
)
def test_disclosure_by_error(answer, control, told):
    """What the control's good answer shows too, or the request named, is no disclosure; looks count in errors only."""
    found = list(NoDisclosure().judge(Seen(Contract(), (answer,), control)))
    assert {finding.seen for finding in found} == told
    assert all(finding.evidence for finding in found)


@pytest.mark.parametrize(
    ("status", "kinds"),
    [
        (200, [Kind.EFFECT_MISSING]),
        (400, [Kind.GENUINE_REFUSED] * 2),
        (413, [Kind.GENUINE_TOO_LARGE] * 2),
        (503, [Kind.GENUINE_FAILED] * 2),
    ],
)
def test_what_is_not_accepted_lacks_its_effect_for_that_reason(status, kinds):
    """A genuine delivery that was refused, and that for this very reason had no effect, is one problem, not two."""
    seen = Seen(Contract(), (http(status), store()))
    findings = [*Accepted().judge(seen), *Applied().judge(seen)]
    assert [one.kind for one in findings] == kinds
    assert len({one.spot for one in findings}) == 1


def test_one_finding_for_each_kind_of_thing():
    """A trace of many frames is one finding, whose evidence is short."""
    (finding,) = NoDisclosure().judge(Seen(Contract(), (http(500, body="x" * 500 + "at f (node:x:1:1)\n" * 50),)))
    assert finding.seen == "Node stack frame"
    assert len(finding.evidence[0]) < 250


def test_evidence_ends_before_the_value_of_a_variable():
    """What a dump of the environment shows is told by name, and the value reaches no report."""
    (finding,) = NoDisclosure().judge(Seen(Contract(), (http(500, body='{"DATABASE_URL": "hunter2hunter2"}'),)))
    assert "DATABASE_URL" in finding.evidence[0]
    assert "hunter2" not in str(finding)


class Secrets(Detector):
    """A detector of what must never be shown, by error or not."""

    name, positive, negative = "secrets", (b"hunter2",), (b"x",)

    def find(self, data):
        """Find it."""
        if b"hunter2" in data:
            yield Hit(data.index(b"hunter2"), data.index(b"hunter2") + 7, "a secret", Confidence.MEDIUM)


def test_other_detectors_know_no_baseline_and_leave_no_evidence(monkeypatch):
    """What is no matter of errors is a finding in a good answer too, and what was found is not repeated."""
    monkeypatch.setattr(no_disclosure, "detectors", lambda: {"secrets": Secrets()})
    (finding,) = NoDisclosure().judge(Seen(Contract(), (http(200, body="hunter2"),), (http(200, body="hunter2"),)))
    assert (finding.seen, finding.evidence) == ("a secret", ())


@pytest.mark.parametrize(
    ("check", "observations", "steps"),
    [
        (Expectation(Rejected(), 1), [http(200), http(401, step=1)], []),
        (Expectation(Rejected(), 1), [http(401), http(200, step=1)], [1]),
        (Expectation(NothingChanged(), 1), [store("t"), store(step=1)], []),
        (Expectation(NothingChanged(), 1), [store(), store("t", step=1)], [1]),
        (Expectation(Applied(), 1), [store(), store("t", step=1)], []),
    ],
)
def test_check_of_one_step(check, observations, steps):
    """A check with a step judges that step alone, as if it were the first, and its findings name that step."""
    findings = check.judge(Seen(Contract(), tuple(observations)))
    assert [finding.step for finding in findings] == steps


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"body": "no"}, {"body": "no"}, True),
        ({"body": "no"}, {"body": "expired"}, False),
        ({"headers": (("www-authenticate", "Stripe"),)}, {}, False),
        ({"headers": (("x-request-id", "1"),)}, {"headers": (("x-request-id", "2"),)}, True),
        ({"headers": (("x-request-id", "1"),)}, {}, False),
        ({"headers": (("etag", 'W/"1"'),)}, {"headers": (("etag", 'W/"2"'),)}, True),
        ({"headers": (("connection", "close"),)}, {}, True),
        ({"body": '{"ref":"5f1c7a90b2d4"}'}, {"body": '{"ref":"00aa11bb22cc"}'}, True),
        (
            {"body": "at 2026-11-23T05:00:00Z: 7d444840-9dc0-11d1-b245-5ffdce74fad2"},
            {"body": "at 2026-11-23T05:00:01.5+00:00: 00000000-9dc0-11d1-b245-5ffdce74fad2"},
            True,
        ),
        ({"body": "code 12"}, {"body": "code 13"}, False),
    ],
)
def test_refusals_are_one_answer(one, other, same):
    """Refusals are the same when they differ only in what a server makes up for each answer."""
    findings = list(Uniform().judge(Seen(Contract(), (http(401, **one), http(401, step=1, **other)))))
    assert (not findings) is same


def test_accepted_delivery_is_no_refusal():
    """An answer that accepts is not compared with refusals, whose statuses must be one."""
    assert not list(Uniform().judge(Seen(Contract(), (http(401), http(200, step=1), http(401, step=2)))))
    assert list(Uniform().judge(Seen(Contract(), (http(401), http(400, step=1)))))


def test_note_on_times():
    """With enough answers to each cause, the note names causes whose answer times do not overlap."""

    def answers(variant, milliseconds):
        sent = Sent("POST", "https://billing.example/hook", "a note", 2, "0" * 64, variant)
        return [Exchange(0, sent, Answer(401, (), "", 0, (milliseconds + i / 100) / 1000)) for i in range(30)]

    fast, slow = answers("missing", 1), answers("expired", 9)
    assert "told apart by time: missing and expired" in Uniform().note(Seen(Contract(), (*fast, *slow)))
    assert "no cause is told apart" in Uniform().note(Seen(Contract(), (*fast, *answers("wrong", 1))))
    assert Uniform().note(Seen(Contract(), tuple(fast[:5]))) == ""
