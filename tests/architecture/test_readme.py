import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest
from rich.console import Console

from payproof.cli import cli
from payproof.language import read_target, scenario_schema
from payproof.reporters.console import ConsoleReport
from payproof.session import all_scenarios, choose
from payproof.stripe.upstream.hints import how_to_point
from tests.defects._proof import on_defect
from tests.end_to_end.command import SECRET, SECRET_ENV, target_file

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
TARGET_FILE = (ROOT / "docs" / "target-file.md").read_text()
SCAN = (ROOT / "docs" / "scan.md").read_text()
DOCTOR = (ROOT / "docs" / "doctor.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)```", README + SCAN + TARGET_FILE + DOCTOR, re.DOTALL)
LINES = [line for block in BLOCKS for line in block.replace("\\\n", " ").splitlines()]
RUN_OF = ["webhook_signature/future[301s]", "webhook_signature/truncated"]
COMMANDS = [part.strip() for line in LINES for part in line.split("#")[0].split(";")]


@pytest.mark.parametrize("command", [c for c in COMMANDS if c.startswith("payproof")])
def test_commands_of_the_documents_parse(command):
    """Each `payproof` command that README and docs/ show has a name, options and arguments that the program takes."""
    _, name, *arguments = shlex.split(command)
    # Under its group, as in the program: click keeps the help option that a command was first asked with.
    group = click.Context(cli, info_name="payproof", **cli.context_settings)
    filled = [argument if argument != "..." else "http://localhost" for argument in arguments]
    given = cli.get_command(group, name)
    assert given is not None
    with given.make_context(name, filled, parent=group) as context:
        assert context.command is given


@pytest.mark.parametrize("target", sorted(set(re.findall(r"make ([a-z]+(?:-[a-z]+)*)", README))))
def test_make_targets_of_the_readme_exist(target):
    """Each `make` command that the README shows is a target of the Makefile."""
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_benchmarks_can_be_loaded():
    """What `make bench` runs finds all that it imports; only its figures are left to it."""
    subprocess.run([sys.executable, "-m", "tests.benchmarks", "--help"], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", TARGET_FILE, re.DOTALL))
def test_target_files_of_the_documents_are_read(tmp_path, block):
    """What docs/target-file.md shows of a target file is read as a part of one."""
    begin = re.search(r"^\[", block, re.MULTILINE).start()
    (tmp_path / "openapi.yaml").write_text("{openapi: 3.1.0, paths: {/a: {get: {}}}}")
    own = re.search(r"^\[contract\]\n((?:[^\[\n].*\n|\n)*)", block, re.MULTILINE)
    contract = {} if own is None else {"contract": own[1]}
    tables = block[begin:].replace("" if own is None else own[0], "")
    file = target_file(tmp_path, "https://127.0.0.1:8443", top=block[:begin], sources=tables, **contract)
    variables = dict.fromkeys(
        re.findall(r'(?:url|writer)_env = "(\w+)"', block), "postgresql://watcher:password@host/name"
    )
    variables |= dict.fromkeys(re.findall(r"environment_env = \[\"(\w+)\"\]", block), "")
    variables |= dict.fromkeys(re.findall(r'credential_env = "(\w+)"', block), "a token of nobody's")
    variables |= dict.fromkeys(re.findall(r'\bsecret_env = "(\w+)"', block), SECRET[::-1])
    read = read_target(file, {SECRET_ENV: SECRET, **variables})
    parts = (read.stores, read.files, read.operations, read.principals, read.openapi, read.store_outage, read.process)
    more = (read.store_faults, read.subject.ids, read.control, read.contract.severities, read.entitlements)
    assert any((*parts, *more, read.endpoints))


def test_document_of_the_scenario_file_has_every_key():
    """docs/scenario-file.md says what each key of a scenario is for, and no other."""
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "scenario-file.md").read_text(), re.MULTILINE)
    assert rows == list(scenario_schema()["properties"])


def test_documents_point_every_sdk_as_the_program_does():
    """What docs/target-file.md says of each of Stripe's SDKs is what a target that never calls is told."""
    told = dict(re.findall(r"  (stripe-\w+): (.*)", how_to_point("https://127.0.0.1:12111", "ca.pem")))
    rows = re.findall(r"^\| (stripe-\w+) \| `(.*?)` \| `(.*?)` \|$", TARGET_FILE, re.MULTILINE)
    assert [sdk for sdk, _, _ in rows] == list(told)
    assert all(base in told[sdk] and trust in told[sdk] for sdk, base, trust in rows)


def test_run_in_the_readme_is_a_real_one():
    """The README's run is what the console shows today; ids, ports, times and sizes are those of another run."""
    printed = io.StringIO()
    with on_defect("future_accepted") as session:
        report = ConsoleReport(Console(file=printed, width=100))
        for event in session.run(choose(all_scenarios(), ids=RUN_OF)):
            report.handle(event)
    real = "\n".join(line.rstrip() for line in printed.getvalue().strip().splitlines())
    assert shape(re.search(r"```text\n(.*?)\n```", README, re.DOTALL)[1]) == shape(real), f"it is now:\n\n{real}"


def shape(text):
    """Leave out what differs between two runs."""
    return re.sub(r"[\d,.]*\d", "0", re.sub(r"evt_\w+", "evt", text))


def test_readme_names_every_verdict_and_exit_code():
    """The README's table of verdicts and its sentence on exit codes cover all of them."""
    for word in ("passed", "failed", "advice not kept", "errored", "skipped"):
        assert f"| {word} |" in README
    assert "2 interrupted, 4 wrong usage or configuration" in README


def test_nothing_is_left_in_the_root():
    """What programs leave where they are run, such as the log of a search for card numbers, is in no checkout."""
    assert not [path.name for path in ROOT.iterdir() if path.suffix in {".log", ".db", ".tmp"}]
