import re
import shlex
from pathlib import Path

import pytest

from payproof.session import all_scenarios
from payproof_reference.__main__ import build_parser
from payproof_reference.database import inventory
from payproof_reference.services.audit.log import Action

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "reference_impl" / "docs"
TEXTS = {path.name: path.read_text() for path in sorted(DOCUMENTS.glob("*.md"))}
ALL = "\n".join(TEXTS.values())
COMMANDS = sorted(set(re.findall(r"python -m payproof_reference ([^`\n#]+)", ALL)))


def test_retention_table_is_that_of_the_tables():
    """The document is what `python -m payproof_reference inventory` writes."""
    assert TEXTS["retention.md"] == inventory.write_inventory()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:reference_impl|tests|harness)/[^`*]+?)`", ALL))))
def test_files_that_the_documents_name_exist(path):
    """What the documents point to is there, and so is the test that they name in it."""
    file, _, test = path.partition("::")
    assert (ROOT / file).exists()
    assert not test or f"def {test}(" in (ROOT / file).read_text()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"scenario `([^`]+)`", ALL))))
def test_scenarios_that_the_documents_name_exist(name):
    """A control that a scenario is said to show is shown by one that there is."""
    assert name in {scenario.id for scenario in all_scenarios()}


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_of_the_documents_parse(command):
    """Each command that an operator is told to run has a name and options that the program takes."""
    placeholders = {"SEQUENCE:DIGEST": "1:x", "ROLE": "viewer"}
    words = [placeholders.get(word, word) for word in shlex.split(command)]
    assert build_parser().parse_args(words).command == words[0]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"audit event `([^`]+)`", ALL))))
def test_audit_events_of_the_documents_exist(name):
    """What an operator is told to look for in the audit log can be found there."""
    assert name in set(Action)
