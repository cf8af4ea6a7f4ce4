"""What the documents say of the program is so, and they stay short enough to be read."""

import re
import tomllib
from pathlib import Path

import pytest

from payproof.domain.channel import Channel
from payproof.domain.kind import Kind
from payproof.engine.remedies import find_remedy
from tests.architecture.problems_document import read_table, write_table

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    *(ROOT / name for name in ("ARCHITECTURE.md", "CONTRIBUTING.md", "README.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "fixtures").rglob("README.md")),
    *sorted((ROOT / "harness").rglob("README.md")),
    ROOT / "reference_impl" / "README.md",
]
TEXTS = {str(path.relative_to(ROOT)): path.read_text() for path in DOCUMENTS}
LINKS = [
    (name, link) for name, text in TEXTS.items() for link in re.findall(r"\]\(([^)#:]+(?:#[^)]*)?|#[^)]+)\)", text)
]
PLACES = r"`((?:harness|scenarios|fixtures|tests|docs|reference_impl)/[\w/.]*)`"
NAMED = sorted({(name, place) for name, text in TEXTS.items() for place in re.findall(PLACES, text)})
MOST_LINES = {"ARCHITECTURE.md": 120, "README.md": 250}


@pytest.mark.parametrize(("name", "lines"), MOST_LINES.items())
def test_documents_stay_short(name, lines):
    """What a stranger reads first does not grow without end: more goes to docs/."""
    assert len(TEXTS[name].splitlines()) <= lines


def test_layers_are_those_that_are_enforced():
    """The picture of the layers in ARCHITECTURE.md is import-linter's contract."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [one["layers"] for one in contracts if one["name"] == "Imports point down only"]
    picture = re.search(r"## The layers.*?```text\n(.*?)```", TEXTS["ARCHITECTURE.md"], re.DOTALL)[1]
    drawn = [re.split(r"\s{2,}", line)[0].split(" | ") for line in picture.splitlines()]
    assert drawn == [[name.strip().removeprefix("payproof.") for name in line.split("|")] for line in layers]


@pytest.mark.parametrize(("name", "link"), LINKS)
def test_links_lead_somewhere(name, link):
    """Each link from one document to a file, or to a heading, leads to one that exists."""
    path, _, heading = link.partition("#")
    target = (ROOT / name).parent / path if path else ROOT / name
    assert target.exists()
    if heading:
        titles = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
        assert heading in {re.sub(r"[^\w\- ]", "", title).strip().lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", TEXTS)
def test_documents_name_no_module_that_is_gone(name):
    """Every Python file that a document names exists, except those that it has its reader write."""
    folders = ("harness", "reference_impl", "tests")
    present = {path.name for folder in folders for path in (ROOT / folder).rglob("*.py")}
    present |= {path.name for path in ROOT.glob("*.py")}
    written = set(re.findall(r"^```\w+ (?:\S*/)?(\w+\.py)$", TEXTS[name], re.MULTILINE))
    assert set(re.findall(r"\b\w+\.py\b", TEXTS[name])) <= present | written


@pytest.mark.parametrize(("name", "place"), NAMED)
def test_places_in_documents_exist(name, place):
    """Every folder and file that a document names by its path exists."""
    assert (ROOT / place).exists()


def test_table_of_kinds_is_that_of_the_engine():
    """docs/problems.md has the table that `python -m tests.architecture.problems_document` writes."""
    assert read_table() == write_table()


def test_remedy_in_the_document_is_a_real_one():
    """The remedy that docs/problems.md shows is what such a target is told."""
    shown = re.search(r"## Remedies.*?```text\n(.*?)```", TEXTS["docs/problems.md"], re.DOTALL)[1]
    assert " ".join(shown.split()) == find_remedy(Kind.GENUINE_REFUSED, Channel.HTTP, "express", "node")


def test_severities_in_the_documents_are_one():
    """docs/problems.md and docs/target-file.md show the same change of a severity, to the letter."""
    blocks = [
        re.search(r"```toml\n(\[\[contract.severities\]\]\n.*?)```", TEXTS[name], re.DOTALL)[1]
        for name in ("docs/problems.md", "docs/target-file.md")
    ]
    changes = [tomllib.loads(block)["contract"]["severities"] for block in blocks]
    assert changes[0] == changes[1]
    assert changes[0][0]["kind"] in set(Kind)
