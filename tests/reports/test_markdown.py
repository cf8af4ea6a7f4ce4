"""The Markdown report: at most a screen, and a target's words are neither markup nor names that are told."""

import re

import pytest
from markdown_it import MarkdownIt

from payproof.domain.events import ProblemsFound
from payproof.domain.problem import ProblemStatus
from payproof.reporters import RECORDED_FORMATS
from tests.reports.made_runs import make_events, make_hostile_events, make_problems, write_report

PARSER = MarkdownIt("commonmark").enable("table")


def written(events):
    """Return a run as Markdown."""
    return write_report(RECORDED_FORMATS["markdown"], events)


def tokens(text):
    """Return each token of a text, those within lines too."""
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


@pytest.mark.parametrize("cases", [0, 1, 100, 1000])
@pytest.mark.parametrize("problems", [0, 200])
def test_is_at_most_a_screen(cases, problems):
    """Whatever was found, the report has at most 40 lines, and none is very long."""
    events = make_problems(problems) if problems else make_events(cases)
    lines = written(events).splitlines()
    assert len(lines) <= 40
    assert max(map(len, lines)) < 800


def test_tells_what_counts():
    """The headline counts the problems; a table tells each; then come cases, unknowns, what was not judged."""
    text = written(make_events(100))
    (found,) = [event for event in make_events(100) if isinstance(event, ProblemsFound)]
    new = sum(one.status is ProblemStatus.NEW for one in found.problems)
    assert text.startswith(f"### Payproof: {new} problems\n")
    for part in (
        "| 1 | critical | Forged deliveries are accepted | `POST /hook, 2xx` |",
        "55 held, 5 broken, 5 advice not kept, 10 unknown, 25 not judged, in 12 s.",
        "**Fault of Payproof, please report it:** `fault of the harness: KeyError in trial.py:1` (5 cases)",
        "20 want `[upstream] and [operations]`",
        "Again: `payproof run --target payproof.toml --scenario",
    ):
        assert part in text


def test_remedies_keep_their_code():
    """How to mend the gravest problems is told, with code as code."""
    assert "- **Mend 1:** Verify sort 0 with `stripe.Webhook.construct_event`." in written(make_problems(3))


def test_statuses_are_told():
    """A problem that breaks nothing is not counted, and the table says why."""
    text = written(make_problems(4, tuple(ProblemStatus)))
    assert text.startswith("### Payproof: 1 problem\n")
    for status in ("known", "waived", "advised"):
        assert f"({status})" in text


def test_targets_words_are_code():
    """A reader of Markdown finds no markup, link or image in a hostile run, and every row has all its cells."""
    text = written(make_hostile_events())
    types = {token.type for token in tokens(text)}
    assert not types & {"html_inline", "html_block", "link_open", "image", "fence"}
    rows = [token for token in PARSER.parse(text) if token.type == "tr_open"]
    cells = [token for token in PARSER.parse(text) if token.type in {"td_open", "th_open"}]
    assert len(cells) == 6 * len(rows)
    # Outside of code nothing is left that a forge would make a link or a notification of.
    plain = "".join(token.content for token in tokens(text) if token.type == "text")
    assert not re.search(r"@\w|#\d|https?://|www\.", plain)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", text)


def test_words_of_an_author_are_no_markup():
    """A title that an author of scenarios has given reads as it was written, and notifies nobody."""
    events = make_problems(1)
    (found,) = [one for one in events if isinstance(one, ProblemsFound)]
    title = "*Nothing* of <b>@octocat</b> | #12 [x](https://evil.example)"
    object.__setattr__(found.problems[0].problem, "title", title)
    text = written(events)
    told = "".join(one.content for one in tokens(text) if one.type == "text").replace("\u2060", "")
    assert title.replace("|", "¦") in told
    assert "@octocat" not in text
