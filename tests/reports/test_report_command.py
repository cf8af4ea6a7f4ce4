"""The command `payproof report`, and what `payproof run --report` writes by the end of a file's name."""

import json
from xml.etree import ElementTree as ET

import pytest

from payproof.language import encode_event, read_problem_lines
from payproof.reporters import RECORDED_FORMATS, REPORT_SUFFIXES
from tests.end_to_end.command import payproof, payproof_here
from tests.reports.made_runs import make_events

RUN = "run", "--reference", "--scenario", "webhook_signature/truncated", "--seed", "7"
FIRST = {
    "html": "<!doctype html>",
    "jsonl": '{"type":"header"',
    "junit": "<?xml",
    "markdown": "### Payproof: no problem",
    "prometheus": "# HELP payproof_problems",
    "sarif": "{",
}


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    """The folder of a run on the reference service that wrote every kind of report."""
    folder = tmp_path_factory.mktemp("reports")
    names = ("run.jsonl", *(f"run{suffix}" for suffix in REPORT_SUFFIXES))
    ended = payproof(*RUN, *(word for name in names for word in ("--report", name)), cwd=folder)
    assert (ended.code, ended.err) == (0, "")
    return folder


@pytest.mark.parametrize("suffix", REPORT_SUFFIXES)
def test_run_writes_each(reported, suffix):
    """A run writes every report by the end of its name."""
    text = (reported / f"run{suffix}").read_text()
    assert text.startswith(FIRST[REPORT_SUFFIXES[suffix]])


@pytest.mark.parametrize("form", RECORDED_FORMATS)
def test_report_of_the_record_is_that_of_the_run(reported, form):
    """From the run record comes the same report that the run itself wrote."""
    (suffix,) = [suffix for suffix, name in REPORT_SUFFIXES.items() if name == form]
    ended = payproof_here("report", reported / "run.jsonl", "--format", form)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (reported / f"run{suffix}").read_text()


def test_output_names_the_format(reported, tmp_path):
    """Without a format the end of the output's name decides; the file is written at once, with nothing beside it."""
    output = tmp_path / "a.html"
    output.write_text("old")
    ended = payproof_here("report", reported / "run.jsonl", "--output", output)
    assert (ended.code, ended.out) == (0, "")
    assert output.read_text() == (reported / "run.html").read_text()
    assert [one.name for one in tmp_path.iterdir()] == ["a.html"]


def test_report_of_a_broken_run_is_no_failure(reported, tmp_path):
    """A report that tells of broken rules is written, and that is all that the exit code says."""
    lines = (reported / "run.jsonl").read_text().splitlines()
    case = json.loads(lines[1])
    # As if the service had accepted a forgery.
    for seen in case["record"]["observations"]:
        if seen["channel"] == "http":
            seen["answer"]["status"] = 200
    lines[1] = json.dumps(case)
    record, output = tmp_path / "broken.jsonl", tmp_path / "broken.problems.jsonl"
    record.write_text("\n".join(lines) + "\n")
    assert payproof_here("report", record, "--output", output).code == 0
    told = read_problem_lines(output)
    assert (told.footer.exit_code, told.problems[0].severity) == (1, "critical")
    junit = payproof_here("report", record, "--format", "junit").out
    assert len([*ET.fromstring(junit).iter("failure")]) == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.jsonl", "--format", "html"], "nowhere.jsonl: the run record cannot be read"),
        (["run.jsonl"], "no format is named"),
        (["run.jsonl", "--output", "a.txt"], "no format is named"),
        (["run.jsonl", "--format", "pdf"], "'pdf' is not one of"),
        (["run.jsonl", "--output", "no/such/folder/a.html"], "cannot be written"),
        (["cut.jsonl", "--format", "html"], "this one was cut short"),
        (["run.problems.jsonl", "--format", "html"], "not a line of a Payproof run record"),
        (["run.html", "--format", "html"], "run.html: no run record; `payproof run --report FILE.jsonl` writes one"),
    ],
)
def test_bad_input_is_one_line(reported, arguments, told, monkeypatch):
    """What is no run record, no format or no place to write to is one line on standard error, with exit code 4."""
    monkeypatch.chdir(reported)
    (reported / "cut.jsonl").write_text("\n".join((reported / "run.jsonl").read_text().splitlines()[:-1]) + "\n")
    ended = payproof_here("report", *arguments)
    assert (ended.code, ended.out) == (4, "")
    assert told in ended.line


def test_unknown_suffix_is_refused_before_the_run(tmp_path):
    """A report whose name ends in nothing known stops the run before it begins, and names what is near."""
    ended = payproof_here(*RUN, "--report", tmp_path / "a.htm")
    assert ended.code == 4
    assert ".html" in ended.line


def test_case_of_another_version_is_named(tmp_path):
    """A record with a case that this version does not know is refused with the name of the case."""
    record = tmp_path / "made.jsonl"
    record.write_text("".join(json.dumps(encoded) + "\n" for one in make_events(2) if (encoded := encode_event(one))))
    ended = payproof_here("report", record, "--format", "markdown")
    assert ended.code == 4
    assert "no case 'webhook_signature/expired[0]' in this version" in ended.line
