import re
from collections import Counter

import pytest

from payproof.domain.finding import Confidence
from payproof.registry import detectors
from tests.error_pages._corpus import FOLDER, found_in, index
from tests.error_pages._programs import PROGRAMS, answers

PAGES = index()
BY_ERROR = {name: one for name, one in detectors().items() if one.by_error}
#: The least share of what leaks that a detector finds, and of what it finds that leaks; they only go up.
RECALL = PRECISION = 1.0
KEPT_OF_A_BODY = 65_536  # a run keeps so much of an answer


def found(page):
    """Return the names of the detectors that find something in a page."""
    return {name for name, detector in BY_ERROR.items() if found_in(detector, page)}


def scores(pages):
    """Return for each detector how many pages leak what it looks for, how many it is right and how many it is wrong on.

    ``pages`` are pairs of what leaks and what was found.
    """
    counted = {name: Counter() for name in BY_ERROR}
    for leaks, hits in pages:
        for name, count in counted.items():
            count.update(leaking=name in leaks, right=name in leaks & hits, wrong=name in hits - leaks)
    return counted


def told(title, counted):
    """Return the table of recall and precision."""
    lines = [f"{title:<18} leaking   found   wrong  recall  precision"]
    for name, count in sorted(counted.items()):
        recall = count["right"] / count["leaking"] if count["leaking"] else 1
        precision = count["right"] / (count["right"] + count["wrong"]) if count["right"] else 1
        row = (f"{count[key]:>7}" for key in ("leaking", "right", "wrong"))
        lines.append(f"{name:<18} {' '.join(row)} {recall:>7.3f} {precision:>10.3f}")
    return "\n".join(lines)


def test_recall_and_precision_on_kept_pages(record_property):
    """Each detector finds what leaks on the pages that are kept, and nothing else on them: the table shows how much."""
    counted = scores((page.leaks, found(page.content)) for page in PAGES.values())
    record_property("table", told("kept pages", counted))
    for name, count in counted.items():
        assert count["right"] >= RECALL * count["leaking"], name
        assert count["right"] >= PRECISION * (count["right"] + count["wrong"]), name


def test_corpus_is_large_enough():
    """There are at least 24 leaking pages and 12 safe ones, and every file is in the index."""
    leaking = [page for page in PAGES.values() if page.leaks]
    assert len(leaking) >= 24
    assert len(PAGES) - len(leaking) >= 12
    assert {path.stem for path in FOLDER.glob("*.http")} == set(PAGES)
    assert {name for page in PAGES.values() for name in page.leaks} <= set(BY_ERROR)


@pytest.mark.parametrize("page", [page for page in PAGES.values() if page.leaks], ids=lambda page: page.name)
def test_part_of_a_page_that_a_run_keeps_suffices(page):
    """Where a page is longer than what a run keeps of an answer, that much of it shows that it leaks."""
    head, separator, body = page.content.partition(b"\n\n")
    assert found(head + separator + body[:KEPT_OF_A_BODY])


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.name)
def test_kept_page_names_nothing_of_the_machine_that_made_it(page):
    """A kept page holds neutral paths and names only."""
    assert not re.search(rb"/tmp/tmp|\.cache/|/root/\.|/work/|pyenv|payproof|127\.0\.0\.1:\d{5}", page.content)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.component("frameworks")
@pytest.mark.thorough
def test_live_pages_are_found_as_the_kept_ones(program):
    """What a framework answers today is told to leak or to be safe as the page that is kept of it."""
    _, pages = answers(program)
    assert set(pages) == {page.name for page in PAGES.values() if page.program == program}
    differing = {name: (set(PAGES[name].leaks), found(page)) for name, page in pages.items()}
    assert not {name: pair for name, pair in differing.items() if pair[0] != pair[1]}


def test_every_page_is_made_by_a_program_or_says_that_none_does():
    """The index names programs that there are."""
    assert {page.program for page in PAGES.values()} <= {*PROGRAMS, None}


def test_confidence_of_what_leaks():
    """A page that shows a trace, a debugger or a database's text is found with high confidence, not by its looks."""
    sure = {"debug_page", "graphql_trace", "input_echo", "environment_dump"}
    for page in PAGES.values():
        for name in page.leaks & sure:
            assert any(hit.confidence is Confidence.HIGH for hit in found_in(BY_ERROR[name], page.content)), page.name
