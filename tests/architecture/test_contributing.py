"""CONTRIBUTING.md, done as it is written: its files in a copy of the checkout, then its commands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
FILES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE))
BLOCKS = re.findall(r"^```console\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
DETECTOR = "harness/payproof/detectors/slack_webhook.py"
COPIED = ("harness", "reference_impl", "scenarios", "fixtures", "tests", "pyproject.toml", "CONTRIBUTING.md")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of what the steps need, with the files that they write."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(ROOT / name, copy / name)
    for name, text in FILES.items():
        assert not (copy / name).exists()
        (copy / name).write_text(text)
    return copy


def follow(checkout, line):
    """Run a line of the document as a reader of it would, in the copy."""
    programs = Path(sys.executable).parent
    packages = os.pathsep.join(str(checkout / folder) for folder in ("harness", "reference_impl", ""))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COVERAGE_"))}
    more = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": packages, "COLUMNS": "200"}
    return subprocess.run(
        ["bash", "-c", line],
        check=False,
        cwd=checkout,
        env={**kept, **more},
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_document_is_read():
    """The document makes a detector, a defect and a scenario, and every one of its commands is run here."""
    assert [Path(name).parts[0] for name in FILES] == ["harness", "tests", "scenarios"]
    assert len(BLOCKS) == 2


def test_new_detector_is_found_by_the_search(checkout):
    """The search finds what the new detector looks for, by its file alone."""
    write, scan = BLOCKS[0].splitlines()
    assert follow(checkout, write).returncode == 0
    ended = follow(checkout, scan)
    assert ended.returncode == 1, ended.stderr
    assert "address of a Slack webhook" in ended.stdout
    assert "notes.txt:1" in ended.stdout
    assert "kkkkkkkk" not in ended.stdout


def test_new_scenario_passes_on_the_reference(checkout):
    """The new scenario is explained, and holds on the reference service."""
    explain, run, _ = BLOCKS[1].splitlines()
    ended = follow(checkout, explain)
    assert "chat_address_shown (by no_disclosure)" in ended.stdout, ended.stderr
    ended = follow(checkout, run)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "2 passed" in ended.stdout


@pytest.mark.thorough
def test_new_defect_is_caught_for_the_stated_reason(checkout):
    """The new scenario fails on its defect by the check that it names, and only because of the new detector."""
    *_, prove = BLOCKS[1].splitlines()
    ended = follow(checkout, prove)
    assert ended.returncode == 0, ended.stdout
    (checkout / DETECTOR).rename(checkout / "detector")
    try:
        ended = follow(checkout, prove)
    finally:
        (checkout / "detector").rename(checkout / DETECTOR)
    assert ended.returncode == 1
    assert "does not fail by 'no_disclosure' on chat_address_shown" in ended.stdout
