"""The problems as JSON lines: a program reads them back, and takes no part of a file for the whole."""

import json
import re

import jsonschema
import pytest

from payproof.domain.events import ProblemsFound, RunFinished
from payproof.domain.problem import ProblemStatus
from payproof.errors import ConfigurationError
from payproof.language import problem_lines_schema, read_problem_lines
from payproof.reporters import RECORDED_FORMATS
from tests.end_to_end.command import payproof_here
from tests.reports.made_runs import make_events, make_hostile_events, make_problems, write_report

RUNS = {
    "run": make_events(60),
    "nothing": make_events(0),
    "statuses": make_problems(8, tuple(ProblemStatus)),
    "hostile": make_hostile_events(),
}


def written(events):
    """Return the lines of a run."""
    return write_report(RECORDED_FORMATS["jsonl"], events)


@pytest.mark.parametrize("events", RUNS.values(), ids=RUNS)
def test_is_read_back(events, tmp_path):
    """What was written is read back: the header, every problem, what is unknown and not judged, and the footer."""
    path = tmp_path / "run.problems.jsonl"
    path.write_text(written(events))
    read = read_problem_lines(path)
    (found,) = [one for one in events if isinstance(one, ProblemsFound)]
    assert [(one.number, one.fingerprint, one.status, one.cases) for one in read.problems] == [
        (one.number, one.problem.fingerprint, one.status, one.problem.cases) for one in found.problems
    ]
    assert (read.header.target, read.header.seed) == (events[0].target, 7)
    assert isinstance(events[-1], RunFinished)
    assert (read.footer.counts, read.footer.exit_code) == (events[-1].counts, 1)
    assert sum(len(one.cases) for one in read.unjudged) == events[-1].counts["skipped"]
    assert sum(len(one.cases) for one in read.unknown) == events[-1].counts["errored"]


@pytest.mark.parametrize("events", RUNS.values(), ids=RUNS)
def test_lines_are_as_the_schema_says(events):
    """Each line is ASCII, and fits the JSON Schema that `payproof schema problems` prints."""
    validator = jsonschema.Draft202012Validator(json.loads(payproof_here("schema", "problems").out))
    text = written(events)
    assert text.isascii()
    for line in text.splitlines():
        validator.validate(json.loads(line))
    assert validator.schema == problem_lines_schema()


def test_line_is_bounded():
    """However many findings a problem has, its line tells the first few, each of another sort, and their number."""
    for line in written(make_events(2000)).splitlines():
        told = json.loads(line)
        assert len(told.get("seen", [])) <= 5
    assert max(map(len, written(make_hostile_events()).splitlines())) < 100_000


@pytest.mark.parametrize("kept", [0, 1, 2, -1])
def test_cut_file_is_refused(kept, tmp_path):
    """A file that lacks its footer, or ends within a line, is never taken for a whole one."""
    path = tmp_path / "cut.problems.jsonl"
    lines = written(make_events(60)).splitlines(keepends=True)
    path.write_text("".join(lines[:kept]))
    with pytest.raises(ConfigurationError, match=r"cut short|not JSON"):
        read_problem_lines(path)
    path.write_text("".join(lines)[:-30])
    with pytest.raises(ConfigurationError, match="not JSON"):
        read_problem_lines(path)


def test_edited_file_is_refused(tmp_path):
    """A file from which a problem was taken is refused, as its footer counts them."""
    path = tmp_path / "edited.problems.jsonl"
    lines = written(make_events(60)).splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if '"type":"problem"' in line)
    path.write_text("".join(lines[:at] + lines[at + 1 :]))
    with pytest.raises(ConfigurationError, match="the footer counts"):
        read_problem_lines(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]\n", "not a line"),
        ('{"type":"header","schema_version":2}\n', "version 2"),
        ('{"type":"leak"}\n', "not a line"),
        ("\xff", "not UTF-8"),
        ('{"type":"problem","number":"x"}\n', "number"),
    ],
)
def test_foreign_file_is_refused_in_one_line(text, told, tmp_path):
    """What is no such file, or of a newer version, is told with its name and line."""
    path = tmp_path / "foreign.problems.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=told) as caught:
        read_problem_lines(path)
    assert re.match(rf"{path}(:\d+)?: ", str(caught.value))
    assert "\n" not in str(caught.value)


def test_missing_file_is_told(tmp_path):
    """A file that is not there is told in one line."""
    with pytest.raises(ConfigurationError, match="No such file"):
        read_problem_lines(tmp_path / "nothing")
