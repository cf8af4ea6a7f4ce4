"""Names that others have given, in every report: each is one line that steers nothing."""

import io
import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.console import Console

from payproof.at_rest import conceal
from payproof.domain.channel import Channel
from payproof.domain.events import CaseFinished, ProblemsFound, Record, RunFinished, RunStarted
from payproof.domain.finding import Confidence, Finding, Severity, Spot
from payproof.domain.leak import Leak, LeakStatus, NotRead, Place, ScanReport, UnitSearched
from payproof.domain.observation import StoreChange, TableChange
from payproof.domain.target import Contract
from payproof.domain.verdict import Errored, ExitCode, Failed, Passed, Skipped
from payproof.engine.accepting import judge_problems
from payproof.engine.folding import fold_findings
from payproof.errors import Reason
from payproof.reporters.console import ConsoleReport
from payproof.reporters.jsonl import JsonLines
from payproof.reporters.junit import JUnit
from payproof.reporters.phrasing import one_line
from payproof.reporters.scan import FORMATS

NAMES = (
    "a\nFAILED b",
    "a\r\nnot read: b",
    "a\x1b[2J\x1b]0;title\x07",
    "invoice\u202etxt.exe",
    "a\u2028b\u2029c\x85d\x0be\x0cf",
    "a\udcff\udc80b",
    "\x00\x01\ufffe\uffff",
    "x " * 100 + "not read: " + "y " * 100,
    "[bold]x[/bold] <a> & \"'",
)
WORDS = st.sampled_from(NAMES) | st.text()


def scanned(name):
    """Return a report of which each name is the same."""
    place = Place(name, (name, name), table=name, field=name, key=name)
    leak = Leak(place, "pan", "a number", Confidence.HIGH, Severity.HIGH, "4***", name)
    file = Leak(Place(name, (name,), 1, 2), "pan", "a number", Confidence.HIGH, Severity.HIGH)
    return ScanReport(
        ((leak, LeakStatus.NEW, ""), (file, LeakStatus.WAIVED, name)),
        (NotRead(place, name),),
        (UnitSearched(name, 1, sampled=True),),
        (name,),
    )


@pytest.mark.parametrize("form", FORMATS)
@given(name=WORDS)
@example(name=NAMES[0])
@example(name=NAMES[5])
@example(name=NAMES[7])
def test_a_name_in_a_report_of_a_search(form, name):
    """Whatever a file, an entry, a table or a key is called, each line of the report is one of ours."""
    text = FORMATS[form](scanned(conceal(name)), 160)
    text.encode()
    assert text.replace("\n", "").isprintable()
    lines = text.splitlines()
    if form == "table":
        *rows, unread, sampled, note, counts = lines
        assert all(row.startswith(("status", "new", "waived", " ")) for row in rows)
        assert (unread[:9], sampled[:8], note[:5], counts[:5]) == ("not read:", "sampled:", "note:", "1 new")
    elif form == "jsonl":
        assert [json.loads(line)["type"] for line in lines] == ["leak", "leak", "not read", "searched", "summary"]
    else:
        (run,) = json.loads(text)["runs"]
        said = [one["message"]["text"] for one in run["results"]]
        said += [one["message"]["text"] for one in run["invocations"][0]["toolExecutionNotifications"]]
        assert len(said) == 4
        assert all(one.isprintable() for one in said)


def told(make, name):
    """Return what a reporter makes of a run in which each name is the same."""
    record = Record((), (StoreChange(0, name, (TableChange(name, 1, 0),)),))
    verdicts = (
        Failed((Finding("rejected", name, name, evidence=(name,), spot=Spot(Channel.STORE, name)),)),
        Errored(Reason.SOURCE_UNREADABLE, f"store db: table {name}"),
        Skipped(name),
        Passed(("rejected",), (), (name,)),
    )
    file = io.StringIO()
    file.close = lambda: None
    reporter = make(file)
    reporter.handle(
        RunStarted(
            "1",
            name,
            "https://t.example",
            "t.toml",
            "local",
            7,
            "2030-01-01T00:00:00+00:00",
            4,
            (name,),
            (name,),
            Contract(),
        )
    )
    repeat = f"payproof run --target {name}"
    cases = [
        CaseFinished(f"t/n[{number}]", "A rule", Severity.HIGH, verdict, record, 0.1, repeat)
        for number, verdict in enumerate(verdicts)
    ]
    for case in cases:
        reporter.handle(case)
    reporter.handle(ProblemsFound(judge_problems(fold_findings(Contract(), cases))))
    reporter.handle(
        RunFinished({"passed": 1, "failed": 1, "advised": 0, "errored": 1, "skipped": 1}, ExitCode.BROKEN, 1.0)
    )
    reporter.close()
    return file.getvalue()


def _console(file):
    return ConsoleReport(Console(file=file, width=80, color_system=None))


_OURS = ("Payproof", "4 cases", "1 problem", " 1  HIGH", " ", "Not judged", "unknown", "topic", "t", "1 passed", "The")


@given(name=WORDS)
@example(name=NAMES[0])
@example(name=NAMES[7])
def test_a_name_on_the_console(name):
    """No line that is printed begins with what somebody else has chosen, and none has codes for terminals."""
    text = told(_console, name)
    assert text.replace("\n", "").isprintable()
    assert [line for line in text.splitlines() if not line.startswith(_OURS) and line.strip() not in {"", "t"}] == []
    assert sum(line.startswith(" 1  HIGH") for line in text.splitlines()) == 1


@given(name=WORDS)
@example(name=NAMES[0])
@example(name=NAMES[6])
def test_a_name_in_junit(name):
    """JUnit is XML that can be read, whatever names are in it, and each message is one line."""
    root = ET.fromstring(told(JUnit, name).encode())
    messages = [one.get("message") for one in root.iter() if one.get("message") is not None]
    assert len(messages) == 3
    assert all(one.replace("\ufffd", "").isprintable() for one in messages)


@given(name=WORDS)
@example(name=NAMES[5])
def test_a_name_in_a_record(name):
    """A record has a line for each event, and every name as it was."""
    lines = told(JsonLines, name).splitlines()
    assert len(lines) == 6
    assert json.loads(lines[0])["stores"] == [name]


@given(st.text())
def test_one_line(text):
    """What does not print is shown by what it is; nothing else changes."""
    assert one_line(text).isprintable()
    assert "\xa0" in text or not text.isprintable() or one_line(text) == text
