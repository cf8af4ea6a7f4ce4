"""What every command has: colours, variables, examples, completion; and the page that says so."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from payproof.cli import cli
from payproof.cli.console import open_console, wide_console
from payproof.cli.every_command import variables_of
from tests.command_line import PAGE, commands, examples_of, written_reference
from tests.end_to_end.command import environment, payproof, payproof_here

ROOT = Path(__file__).parents[2]
COMMANDS = {name: command for name, command, _ in commands()}
EXAMPLES = [(name, example) for name, command in COMMANDS.items() for example in examples_of(command)]
STYLED = "\x1b["


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_examples_and_color(name):
    """Each command's help ends with one to three examples of itself, and it takes --color."""
    examples = examples_of(COMMANDS[name])
    assert 1 <= len(examples) <= 3
    assert all(f"payproof {name}" in example for example in examples)
    assert all(len(example) <= 110 for example in examples)
    said = payproof_here(name, "--help").out
    assert all(example in said for example in examples)
    assert "--color [auto|always|never]" in said


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_examples_are_taken_by_the_program(name, example, monkeypatch):
    """Each example of a help text has arguments and options that its command takes."""
    monkeypatch.chdir(ROOT)
    words = shlex.split(example)
    words = words[words.index("payproof") + 1 :]
    assert words[0] == name
    group = click.Context(cli, info_name="payproof", **cli.context_settings)
    with COMMANDS[name].make_context(name, words[1:], parent=group) as context:
        assert context.command is COMMANDS[name]


def test_examples_of_the_program_itself():
    """The examples of `payproof --help` are commands that there are."""
    group = click.Context(cli, info_name="payproof", **cli.context_settings)
    for example in examples_of(cli):
        _, name, *words = shlex.split(example)
        assert COMMANDS[name].make_context(name, words, parent=group)


def test_page_is_what_the_program_says():
    """docs/command-line.md holds every command with all options; `make command-line` writes it."""
    assert PAGE.read_text().endswith(written_reference())
    assert set(re.findall(r"\]\(#payproof-([a-z-]+)\)", PAGE.read_text())) == set(COMMANDS)


def test_each_option_has_one_variable_of_its_own():
    """No two options have one variable, and none takes one that Payproof or its tests use for something else."""
    own = [variable for name, command in COMMANDS.items() for variable in variables_of(command, name).values()]
    assert len(own) == len(set(own)) > 50
    texts = [*(ROOT / "harness").rglob("*.py"), *(ROOT / "reference_impl").rglob("*.py"), ROOT / "Makefile"]
    used = {found for text in texts for found in re.findall(r"PAYPROOF_[A-Z_]+", text.read_text())}
    assert not used & set(own) - {"PAYPROOF_RUN_SEED"}  # an example in a docstring


def test_variables_stand_for_options(monkeypatch):
    """A variable gives an option its value, the command line another one, and an empty variable none."""
    monkeypatch.setenv("PAYPROOF_LIST_CASES", "1")
    assert "webhook_signature/expired[301s]" in payproof_here("list").out
    monkeypatch.setenv("PAYPROOF_LIST_CASES", "")
    assert "webhook_signature/expired[301s]" not in payproof_here("list").out
    monkeypatch.setenv("PAYPROOF_EVENTS_API_VERSION", "latest")
    assert payproof_here("events").code == 4
    assert payproof_here("events", "--api-version", "2022-11-15").code == 0


def test_repeatable_option_by_its_variable(monkeypatch):
    """A variable of a repeatable option holds several values, of which a wrong one is told as one of the option's."""
    monkeypatch.setenv("PAYPROOF_RUN_SCENARIO", "webhook_signature/expired webhook_signature/expird")
    assert "unknown scenario 'webhook_signature/expird'" in payproof_here("run", "--reference").line


def test_wrong_variable_is_named(monkeypatch):
    """A value that an option does not take is one line that names the variable, with code 4."""
    monkeypatch.setenv("PAYPROOF_RUN_SEED", "soon")
    ended = payproof_here("run", "--reference")
    assert ended.code == 4
    assert "'--seed' (env var: 'PAYPROOF_RUN_SEED'): 'soon' is not" in ended.line


def test_variable_is_not_named_for_the_command_line():
    """A wrong value of the command line is told without the variable, which has not given it."""
    line = payproof_here("run", "--reference", "--seed", "soon").line
    assert "'--seed': 'soon' is not" in line
    assert "PAYPROOF" not in line


def test_nothing_but_the_name():
    """The name alone shows the help, as it stands, with code 4: nothing was done."""
    ended = payproof_here()
    assert (ended.code, ended.out) == (4, "")
    assert ended.err.startswith("Usage: payproof ")
    assert ended.err.count("\n") > 20


def test_unknown_variable_means_nothing(monkeypatch):
    """Variables that begin as ours do and belong to no option are left alone."""
    for name in ("PAYPROOF_RUN", "PAYPROOF_RUN_SEEDS", "PAYPROOF_NOTHING", "PAYPROOF_IMAGES", "PAYPROOF_EFFORT"):
        monkeypatch.setenv(name, "no number")
    assert payproof_here("signatures").code == 0


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("before", "after", "variables", "styled"),
    [
        ((), (), {}, False),
        ((), ("--color", "always"), {}, True),
        (("--color", "always"), (), {}, True),
        (("--color", "always"), ("--color", "never"), {}, False),
        ((), (), {"PAYPROOF_COLOR": "always"}, True),
        (("--color", "auto"), (), {"PAYPROOF_COLOR": "always"}, False),
        ((), (), {"FORCE_COLOR": "1"}, True),
        ((), ("--color", "never"), {"FORCE_COLOR": "1"}, False),
        ((), ("--color", "always"), {"NO_COLOR": "1"}, True),
    ],
)
def test_color(before, after, variables, styled):
    """--color, before or after the command, counts more than its variable, NO_COLOR and FORCE_COLOR."""
    env = {**environment(), **variables}
    ended = payproof(*before, "explain", "webhook_signature/future", *after, env=env)
    assert ended.code == 0
    assert (STYLED in ended.out) is styled


def test_color_at_a_terminal(monkeypatch):
    """A terminal gets colours; without them by --color it stays one, for progress."""
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert open_console().color_system == "256"
    with click.Context(cli) as context:
        context.meta["payproof.color"] = "never"
        assert wide_console().color_system is None
        assert wide_console().is_terminal


def test_wrong_color():
    """A word that is no choice of --color is told with those that are."""
    ended = payproof_here("list", "--color", "sometimes")
    assert ended.code == 4
    assert "'sometimes' is not one of 'auto', 'always', 'never'" in ended.line


def completed(*words: str, **more: str) -> list[str]:
    """Return what bash offers after these words, by the function that the program gives it."""
    script = (
        'eval "$(_PAYPROOF_COMPLETE=bash_source payproof)"\n'
        'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))\n'
        '_payproof_completion payproof 2> /dev/null; printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    path = os.pathsep.join([str(Path(payproof.__kwdefaults__["program"]).parent), os.environ["PATH"]])
    command = ["bash", "--norc", "-c", script, "bash", *words]
    ended = subprocess.run(command, env=environment(PATH=path, **more), capture_output=True, check=True, text=True)
    return ended.stdout.split()


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("ru",), ["run"]),
        (("run", "--fail-f"), ["--fail-fast"]),
        (("run", "--severity", ""), ["low", "medium", "high", "critical"]),
        (("run", "--color", "a"), ["auto", "always"]),
        (("run", "--topic", "webhook_s"), ["webhook_signature"]),
        (("run", "--scenario", "webhook_signature/expi"), ["webhook_signature/expired"]),
        (("run", "--exclude", "webhook_signature/expired[301"), ["webhook_signature/expired[301s]"]),
        (("explain", "webhook_signature/futur"), ["webhook_signature/future"]),
        (("explain", "nowhere/"), []),
        (("deliver", "invoice.pai"), ["invoice.paid"]),
        (("deliver", "--signature", "wrong_secret.ran"), ["wrong_secret.random"]),
        (("schema", ""), ["target", "scenario", "problems"]),
    ],
)
def test_bash_completes(words, offered):
    """Bash completes commands, options, their values, scenarios and their cases."""
    assert completed("payproof", *words) == offered


@pytest.mark.thorough
def test_scenarios_of_ones_own_complete(tmp_path):
    """Folders that are named by the option or by a variable are looked into, and a file that is none harms nothing."""
    folder = tmp_path / "rules"
    folder.mkdir()
    (folder / "mine.yaml").write_text("cases: {first: {}, second: {}}\n")
    (folder / "broken.yaml").write_text("cases: [")
    assert completed("payproof", "run", "--scenarios", str(folder), "--scenario", "rules/m") == ["rules/mine"]
    shown = completed("payproof", "run", "--scenario", "rules/mine[", PAYPROOF_SCENARIOS=str(folder))
    assert shown == ["rules/mine[first]", "rules/mine[second]"]
    assert completed("payproof", "run", "--scenario", "rules/broken[", PAYPROOF_SCENARIOS=str(folder)) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts_for_shells(shell):
    """The script for each shell that the page names is written with code 0."""
    ended = payproof(env=environment(_PAYPROOF_COMPLETE=f"{shell}_source"))
    assert (ended.code, ended.err) == (0, "")
    assert "_payproof_completion" in ended.out or "complete" in ended.out
    assert f"{shell}_source payproof" in PAGE.read_text()


def test_module_is_the_program():
    """`python -m payproof` is the command."""
    assert "--color" in payproof("-m", "payproof", "--help", program=sys.executable).out
