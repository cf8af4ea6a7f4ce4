import io
import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from payproof.domain.accepted import AcceptedRisks
from payproof.domain.events import CaseFinished, CaseStarted, ProblemsFound, Record, RunFinished, RunStarted
from payproof.domain.finding import Finding, Severity, Spot
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Channel, Exchange, LogLines, NoAnswer, Sent, StoreChange, TableChange
from payproof.domain.target import Contract, RejectionRecord, Waiver
from payproof.domain.verdict import Errored, ExitCode, Failed, Passed, Skipped
from payproof.engine.accepting import judge_problems
from payproof.engine.folding import fold_findings
from payproof.errors import ConfigurationError, Reason
from payproof.language import decode_event, encode_event
from payproof.reporters import open_report
from payproof.reporters.console import ConsoleReport, Detail
from payproof.reporters.jsonl import JsonLines
from payproof.reporters.junit import JUnit
from payproof.reporters.phrasing import printable, story, summary

CONTRACT = Contract(
    rejection_record=RejectionRecord({"a": "b"}, "c", "t", "o", "r"),
    waivers=(Waiver(Channel.LOG, "no access to the log"),),
)
SENT = Sent("POST", "https://billing.example/hook", "a note", 2, "0" * 64)
RECORD = Record(
    (),
    (
        Exchange(0, SENT, Answer(401, (("a", "b"),), "no [bold]\x1b[31m\x00", 2, 0.01)),
        Exchange(0, SENT, NoAnswer(Reason.TIMEOUT, "late", 1.0)),
        StoreChange(0, "db", (TableChange("t", 1, 0),)),
        LogLines(0, "log", ("a line \x1b]0;x",)),
        LogLines(1, "log", ()),
    ),
)
FOUND = Finding(
    "rejected",
    "no \x1b[2J",
    "yes [/bold]",
    evidence=("line\x07\nnext",),
    kind="forged delivery accepted",
    spot=Spot(Channel.HTTP, "POST /hook [red]\x1b, 2xx"),
    rule="topic/name",
)
VERDICTS = (
    Passed(("rejected",), ("nothing_changed (store)",), ("a note",)),
    Failed((FOUND, Finding("b", "c", "d", kind="server error", rule="topic/other"))),
    Failed((Finding("rejected", "no", "yes", rule="topic/advised"),), advised=True),
    Errored(Reason.TIMEOUT, "no answer"),
    Skipped("no store"),
)
STARTED = RunStarted(
    "1",
    "a [red]target",
    "https://billing.example",
    "a&b.toml",
    "local",
    7,
    "2030-01-01T00:00:00+00:00",
    5,
    ("db",),
    ("log",),
    CONTRACT,
)
CASES = tuple(
    CaseFinished(f"topic/name[{n}]", "A rule", Severity.HIGH, verdict, RECORD, 0.1, "payproof run")
    for n, verdict in enumerate(VERDICTS)
)
COUNTS = {"passed": 1, "failed": 1, "advised": 1, "errored": 1, "skipped": 1}
FINISHED = RunFinished(COUNTS, ExitCode.BROKEN, 1.5)
PROBLEMS = judge_problems(fold_findings(CONTRACT, CASES))
EVENTS = (
    STARTED,
    *(event for case in CASES for event in (CaseStarted(case.id), case)),
    ProblemsFound(PROBLEMS),
    FINISHED,
)


class Kept(io.StringIO):
    """A file whose text stays after it was closed."""

    def close(self):
        """Do nothing."""


def written(kind, events=EVENTS):
    """Return what a reporter writes for events."""
    file = Kept()
    report = kind(file)
    for event in events:
        report.handle(event)
    report.close()
    return file.getvalue()


def console(events=EVENTS, detail=Detail.USUAL, **more):
    """Return what the console shows."""
    return written(lambda file: ConsoleReport(Console(file=file, width=140), detail, **more), events)


def test_record_is_read_back_as_it_was():
    """Each line of a run record is the event that it was written for; nothing of it is lost."""
    lines = written(JsonLines).splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["run_started", *["case_finished"] * 5, "run_finished"]
    read = [decode_event(json.loads(line), "f", number) for number, line in enumerate(lines, 1)]
    assert read == [STARTED, *CASES, FINISHED]


@given(st.text(), st.text(), st.sampled_from(VERDICTS))
def test_any_text_survives_a_record(body, line, verdict):
    """Whatever a target answers and logs is read back from the record."""
    try:
        (body + line).encode()
    except UnicodeEncodeError:
        return
    record = Record((Exchange(0, SENT, Answer(200, (), body, 1, 0.1)),), (LogLines(0, "log", (line,)),))
    case = replace(CASES[0], record=record, verdict=verdict)
    assert decode_event(json.loads(json.dumps(encode_event(case))), "f", 1) == case


def test_first_line_says_what_was_judged():
    """Each report names in its first line the target, where it is and the file that describes it."""
    what = "a [red]target (local) at https://billing.example, described by a&b.toml"
    assert console().splitlines()[0] == f"Payproof 1 judges {what}"
    assert f'<testsuites name="payproof on {what.replace("&", "&amp;")}"' in written(JUnit).splitlines()[0]
    header = json.loads(written(JsonLines).splitlines()[0])
    assert (header["target"], header["url"], header["file"]) == (
        "a [red]target",
        "https://billing.example",
        "a&b.toml",
    )


def test_first_line_says_that_no_own_system_was_judged():
    """Of a run on the reference service each report says that it was no system of the reader's."""
    events = (replace(STARTED, target="reference billing service", url="", file=""), *EVENTS[1:])
    what = "the reference billing service that comes with Payproof, not a system of yours"
    assert console(events).splitlines()[0] == f"Payproof 1 judges {what}"
    assert f"payproof on {what}" in written(JUnit, events).splitlines()[0]


def test_junit_tells_each_verdict():
    """In JUnit a failure fails, an unknown is an error, broken advice and skipped cases are skipped."""
    root = ET.fromstring(written(JUnit))
    (suite,) = root
    assert [[child.tag for child in case] for case in suite.iter("testcase")] == [
        [], ["failure"], ["skipped"], ["error"], ["skipped"],
    ]  # fmt: skip
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "5", "failures": "1", "errors": "1", "skipped": "2",
    }  # fmt: skip
    assert "repeat: payproof run" in "".join(suite.itertext())


def test_junit_tells_a_problem_once():
    """The first case that saw a problem tells it whole; a case whose own rule held fails by what it saw in passing."""
    passing = replace(FOUND, rule="topic/other")
    seen = [replace(CASES[0], id=f"topic/name[{n}]", passing=(passing,)) for n in range(2)]
    problems = ProblemsFound(judge_problems(fold_findings(CONTRACT, seen)))
    first, second = ET.fromstring(written(JUnit, (STARTED, *seen, problems, FINISHED))).iter("failure")
    assert first.get("message") == second.get("message")
    assert first.get("message", "").startswith("held; in passing: problem 1: Forged deliveries are accepted")
    assert "again  payproof run" in (first.text or "")
    assert "told in full by an earlier case" in (second.text or "")


def test_junit_passes_what_is_known():
    """A case whose problems are all in the baseline does not fail a CI server's build."""
    problems = fold_findings(CONTRACT, CASES)
    known = judge_problems(problems, AcceptedRisks(frozenset(one.fingerprint for one in problems)))
    root = ET.fromstring(written(JUnit, (STARTED, *CASES, ProblemsFound(known), FINISHED)))
    assert not [*root.iter("failure")]


def test_junit_of_an_interrupted_run_is_not_green():
    """Where cases did not run, JUnit has an error that says how many."""
    root = ET.fromstring(written(JUnit, (STARTED, CASES[0], RunFinished({}, ExitCode.INTERRUPTED, 1.0))))
    (error,) = root.iter("error")
    assert error.get("message") == "4 cases did not run"


def test_junit_without_a_footer_is_empty():
    """A run that was cut short leaves no JUnit that could be taken for a whole one."""
    assert written(JUnit, EVENTS[:-1]) == ""


def test_console_tells_problems():
    """The console tells each problem once, what was not judged, what is unknown and why, and the counts."""
    text = console()
    for part in (
        "5 cases, seed 7, watching store db, log log",
        "waived: log: no access to the log",
        "2 problems, 1 advised; 3 cases judged, 33 % of the rules held",
        " 1  HIGH      Forged deliveries are accepted  topic/name",
        "    seen   POST /hook [red]\\x1b, 2xx: yes [/bold]; topic/name[1]",
        "    again  payproof run",
        " 2  MEDIUM    Requests make the service fail",
        " 3  advised ",
        "Not judged: 1 cases.",
        "unknown no answer in time: no answer",
        "1 passed, 1 failed, 1 advice not kept, 1 errored, 1 skipped in 1.5 s",
        "The target breaks at least one rule.",
    ):
        assert part in text, part
    assert "answered 401" not in text
    assert console(record=Path("run.jsonl")).endswith("payproof show run.jsonl 1\n")


def test_console_is_as_detailed_as_is_asked():
    """Verbose, the console tells each case with what was sent and seen; quiet, a line for each problem."""
    verbose, quiet = (console(detail=detail) for detail in (Detail.VERBOSE, Detail.QUIET))
    for part in ("passed    topic/name[0]", "step 0: answered 401", "expected  no \\x1b[2J", "a note", "  again     "):
        assert part in verbose, part
    assert "Forged deliveries are accepted: POST /hook" in quiet
    assert "again" not in quiet
    assert len(quiet.splitlines()) < 15


def test_many_cases_of_a_cause_are_one_problem():
    """Ten causes of a hundred cases each take about seventy lines in the console; what mends them all is told once."""
    cases = [
        replace(
            CASES[1],
            id=f"topic/name[{cause}-{number}]",
            verdict=Failed((replace(FOUND, spot=Spot(Channel.HTTP, f"POST /{'x' * cause}")),)),
        )
        for cause in range(1, 11)
        for number in range(100)
    ]
    problems = judge_problems(fold_findings(CONTRACT, cases))
    text = console((STARTED, *cases, ProblemsFound(problems), replace(FINISHED, counts={**COUNTS, "failed": 1000})))
    assert len(problems) == 10
    assert len(text.splitlines()) <= 75
    assert text.count("mend   as problem 1\n") == 9


def test_columns_are_told_together():
    """Columns that keep the same kind of data take one entry, which names the others and their numbers."""
    cases = [
        replace(
            CASES[1],
            id=f"topic/name[{number}]",
            verdict=Failed((replace(FOUND, kind=kind, spot=Spot(Channel.STORE, f"store db, t.c{number:02}")),)),
        )
        for number, kind in enumerate([*[Kind.PERSONAL_DATA] * 20, Kind.CARD_DATA, *[Kind.SIGNATURE] * 2])
    ]
    problems = judge_problems(fold_findings(CONTRACT, cases))
    events = (STARTED, *cases, ProblemsFound(problems), replace(FINISHED, counts={**COUNTS, "failed": 23}))
    text = console(events)
    assert len(problems) == 23
    assert "    alike  problems 3 to 21: t.c01, t.c02 and 17 more\n" in text
    assert "    alike  problem 23: t.c22\n" in text
    assert text.count("again") == 3
    assert console(events, detail=Detail.QUIET).count("Personal data is kept") == 20


def test_console_cannot_be_steered():
    """What a target says reaches the terminal neither as control characters nor as markup."""
    for detail in Detail:
        text = console(detail=detail)
        assert not {"\x1b", "\x07", "\x00"} & set(text)
        assert "a [red]target" in text
        assert "POST /hook [red]" in text or detail is Detail.VERBOSE
    assert "no [bold]" in console(detail=Detail.VERBOSE)


@pytest.mark.parametrize("verdict", VERDICTS, ids=lambda verdict: verdict.kind)
def test_every_verdict_is_one_line(verdict):
    """A verdict is told in one line."""
    assert summary(verdict)
    assert len(summary(verdict).splitlines()) == 1


def test_story_is_a_line_for_each_observation():
    """What was sent and seen is told in order, each in one printable line."""
    lines = story(RECORD)
    assert len(lines) == 7
    assert all(line.isprintable() for line in lines)


@given(st.text())
def test_printable(text):
    """Only line ends and tabs are left of what does not print."""
    assert all(c.isprintable() or c in "\n\t" for c in printable(text))
    assert len(printable(text)) == len(text)


def test_open_report(tmp_path):
    """A report's suffix decides its format; an unknown one, or a place that is not writable, is refused."""
    for name, kind in (("a.jsonl", JsonLines), ("a.xml", JUnit)):
        report = open_report(tmp_path / name)
        assert isinstance(report, kind)
        report.close()
    for name, said in (("a.pdf", "unknown format"), ("no/a.xml", "cannot be written"), ("d.xml", "is a directory")):
        (tmp_path / "d.xml").mkdir(exist_ok=True)
        with pytest.raises(ConfigurationError, match=said):
            open_report(tmp_path / name)
