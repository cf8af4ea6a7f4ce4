"""What holds for every report: it tells of runs that ended badly, and no text breaks out of its place."""

import json
import re
from dataclasses import replace
from datetime import date
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from prometheus_client.parser import text_string_to_metric_families

from payproof.domain.accepted import AcceptedRisk, AcceptedRisks
from payproof.domain.events import CaseFinished, ProblemsFound, RunFinished
from payproof.domain.verdict import ExitCode
from payproof.engine.accepting import judge_problems
from payproof.reporters import RECORDED_FORMATS
from payproof.reporters.phrasing import one_line
from tests.reports.made_runs import make_events, make_started, write_report

TEXTS = st.text(st.characters(codec="utf-8"), max_size=60)


def ended(code, *, ran=1, chosen=1):
    """Return a run without problems that ended with a code."""
    cases = [event for event in make_events(30) if isinstance(event, CaseFinished)][12 : 12 + ran]
    counts = {"passed": ran, "failed": 0, "advised": 0, "errored": 0, "skipped": 0}
    return [make_started(chosen), *cases, ProblemsFound(()), RunFinished(counts, code, 1.0, chosen - ran)]


@pytest.mark.parametrize(
    ("code", "headline"),
    [
        (ExitCode.HELD, "No problem"),
        (ExitCode.UNKNOWN, "No problem found, but not all is known"),
        (ExitCode.INTERRUPTED, "Interrupted before a problem was found"),
        (ExitCode.NOTHING_RAN, "Nothing was judged"),
    ],
)
def test_headline_is_never_greener_than_the_run(code, headline):
    """Where something is unknown, or nothing ran, no headline says that there is no problem."""
    events = ended(code)
    page = write_report(RECORDED_FORMATS["html"], events)
    assert f"<h1>{headline}</h1>" in page
    markdown = write_report(RECORDED_FORMATS["markdown"], events)
    assert markdown.splitlines()[0] == f"### Payproof: {headline[0].lower()}{headline[1:]}"


def test_what_did_not_run_is_told():
    """Of a run that was interrupted every report says how many cases did not run."""
    events = ended(ExitCode.INTERRUPTED, chosen=5)
    told = {form: write_report(make, events) for form, make in RECORDED_FORMATS.items()}
    assert "<strong>4 cases</strong> did not run" in told["html"]
    assert "1 held, 4 not run" in told["markdown"]
    assert "4 cases did not run" in told["junit"]
    assert 'payproof_cases_unrun{target="billing.test"} 4' in told["prometheus"]
    (run,) = json.loads(told["sarif"])["runs"]
    assert run["invocations"][0]["executionSuccessful"] is False
    assert "4 cases did not run" in told["sarif"]
    header, *_, footer = map(json.loads, told["jsonl"].splitlines())
    assert (header["chosen"], sum(footer["counts"].values()), footer["exit_code"]) == (5, 1, 2)


@pytest.mark.parametrize("form", RECORDED_FORMATS)
def test_run_that_was_cut_short_writes_nothing(form):
    """Without a footer there is no report that could be taken for a whole one."""
    assert write_report(RECORDED_FORMATS[form], make_events(3)[:-1]) == ""


@pytest.mark.parametrize("form", sorted({*RECORDED_FORMATS} - {"prometheus"}))
def test_waiver_that_is_over_is_told(form):
    """A waiver that is over is a problem that no case has seen: it is told like any other."""
    over = AcceptedRisk("waiver 1", "abcd", None, None, "for a time", date(2020, 1, 1))
    problems = judge_problems((), AcceptedRisks(frozenset(), (over,), "waivers.yaml"), date(2030, 1, 1))
    started, *cases, _, finished = make_events(3)
    text = write_report(RECORDED_FORMATS[form], [started, *cases, ProblemsFound(problems), finished])
    assert "A waiver is over" in text
    assert "over since 2020-01-01" in text or form == "markdown"


@pytest.mark.parametrize("form", RECORDED_FORMATS)
def test_what_is_no_unicode_can_be_written(form):
    """A lone half of a character, which a target may answer with, ends no report."""
    started, *rest = make_events(30, said="half \ud800")
    text = write_report(RECORDED_FORMATS[form], [replace(started, target="half \ud800"), *rest])
    assert "half" in text.encode().decode()


class _Page(HTMLParser):
    """Collects the elements of a page and the text that stands in them."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.elements, self.said = [], []

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)

    def handle_data(self, data):
        self.said.append(data)


def parsed(target):
    """Return the page of a run on a target with that name."""
    page = _Page()
    events = [replace(make_started(0), target=target), ProblemsFound(()), RunFinished({}, ExitCode.NOTHING_RAN, 1.0)]
    page.feed(write_report(RECORDED_FORMATS["html"], events))
    return page


@given(TEXTS)
def test_any_text_stays_text_in_html(text):
    """Whatever a target is called, the page has the same elements, and shows the name."""
    page = parsed(text)
    assert page.elements == parsed("billing").elements
    assert one_line(text) in "".join(page.said)


@given(TEXTS)
def test_any_text_stays_code_in_markdown(text):
    """Whatever a target is called, Markdown has it as code, and nothing else that means something."""
    events = [replace(make_started(0), target=text), ProblemsFound(()), RunFinished({}, ExitCode.NOTHING_RAN, 1.0)]
    tokens = MarkdownIt("commonmark").enable("table").parse(write_report(RECORDED_FORMATS["markdown"], events))
    children = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in children} == {"text", "code_inline", "strong_open", "strong_close"}
    (code,) = [child.content for child in children if child.type == "code_inline"]
    whole = one_line(text).replace("|", "¦") + " (staging) at https://billing.test, described by payproof.toml"
    assert re.sub(r"\s+", " ", whole).strip().startswith(re.sub(r"\s+", " ", code.removesuffix("…")).strip()[:100])


@given(TEXTS)
def test_any_text_stays_a_label_in_metrics(text):
    """Whatever a target is called, each sample has that as its label."""
    events = [replace(make_started(0), target=text), ProblemsFound(()), RunFinished({}, ExitCode.NOTHING_RAN, 1.0)]
    families = text_string_to_metric_families(write_report(RECORDED_FORMATS["prometheus"], events))
    assert {sample.labels["target"] for family in families for sample in family.samples} == {one_line(text)}
