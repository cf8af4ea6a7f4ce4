"""docs/reports.md shows what the program writes today."""

import re

import pytest

from payproof.reporters import RECORDED_FORMATS, REPORT_SUFFIXES
from tests.reports.document import PAGE, make_examples, read_examples, run_example

FORMS = [form for form in RECORDED_FORMATS if form != "html"]


@pytest.fixture(scope="module")
def examples():
    """What the program writes of the run that the README shows."""
    return make_examples(run_example())


def shape(text):
    """Leave out what differs between two runs: ids, times, and how the lines of what was seen are cut."""
    text = re.sub(r"evt_\w+|sub_\w+|cus_\w+|in_\w+|req_\w+", "id", text)
    return re.sub(r"[\d,.:+-]*\d", "0", text)


@pytest.mark.parametrize("form", FORMS)
def test_example_is_a_real_one(examples, form):
    """Each example is what `make reports` would write today, but for what differs from run to run."""
    language, text = read_examples()[form]
    assert (language, shape(text)) == (examples[form][0], shape(examples[form][1])), "make reports writes it anew"


def test_every_ending_is_told():
    """The page names every end of a report's name."""
    rows = re.findall(r"^\| `(\.[\w.]+)` \|", PAGE.read_text(), re.MULTILINE)
    assert set(rows) == {*REPORT_SUFFIXES, ".jsonl"}
