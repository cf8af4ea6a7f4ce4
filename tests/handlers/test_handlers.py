"""The first five minutes on small handlers: what `payproof init` writes is run without an edit."""

import json
import re
import tomllib

import pytest

from payproof.language import read_target
from tests.end_to_end.command import environment, payproof
from tests.handlers.running import FAULTS, HANDLERS, NAMES, TRUTHS, handling, problems_of

_MOST_COMMANDS = 3
_RUN_SECONDS = 480
_SDKS = {"flask": "python", "django": "python", "fastapi": "python", "express": "node", "nextjs": "node"}


def commands():
    """Return the commands of the README, without the one that sets the secret's variable, and how many there are."""
    (block,) = re.findall(r"```console\n(.*?)```", (HANDLERS / "README.md").read_text(), re.DOTALL)
    lines = block.splitlines()
    return [line.split()[1:] for line in lines if line.startswith("payproof ")], len(lines)


def follow(handler, *options):
    """Follow the README on a running handler; return how the run ended, the edits that it took, and its events."""
    (look, run), _ = commands()
    env = environment(**handler.variables)
    written = payproof(
        *(handler.url if word.startswith("http") else word for word in look), env=env, cwd=handler.folder
    )
    assert written.code == 0, written.out + written.err
    file = handler.folder / "payproof.toml"
    before = file.read_text()
    ended = payproof(*(*run, "--report", "run.jsonl", *options), env=env, cwd=handler.folder, seconds=_RUN_SECONDS)
    edited = sum(one != other for one, other in zip(before.splitlines(), file.read_text().splitlines(), strict=True))
    return ended, edited, [json.loads(line) for line in (handler.folder / "run.jsonl").read_text().splitlines()]


def test_the_readme_takes_three_commands():
    """The README asks for no more than three commands, of which the two of Payproof are those that are tested here."""
    told, number = commands()
    assert [words[0] for words in told] == ["init", "run"]
    assert number <= _MOST_COMMANDS


def test_truths_name_what_there_is():
    """Each seeded fault has a problem with a rule and a place, and stands in the code of every handler."""
    for fault in TRUTHS["fault"]:
        assert fault["what"].endswith(".")
        assert all({"rule", "where"} <= problem.keys() for problem in fault["problems"])
    for name in NAMES:
        code = "".join(one.read_text() for one in (HANDLERS / name).rglob("*.[pj][ys]"))
        assert all(f'"{fault}"' in code for fault in FAULTS), name
        assert len(problems_of(name, FAULTS)) == len({*problems_of(name, FAULTS)})


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES)
def test_a_clean_handler_has_no_problem(record_property, tmp_path, name):
    """On a clean handler init finds all, the run starts without an edit, judges, and finds nothing wrong."""
    with handling(name, tmp_path) as handler:
        ended, edited, events = follow(handler)
        target = read_target(tmp_path / "payproof.toml", handler.variables)
    broken = [one["id"] for one in events if one.get("verdict", {}).get("kind") in {"failed", "errored"}]
    broken = [id_ for id_ in broken if not _is_advised(events, id_)]
    record_property("handler", name)
    record_property("edited", edited)
    assert (edited, broken) == (0, [])
    assert ended.code == 0, ended.out[-4000:]
    assert target.webhook.path == TRUTHS["names"][name]["route"]
    assert (target.contract.framework, target.contract.sdk) == (name, _SDKS[name])
    assert [(one.name, len(target.stores)) for one in target.logs] == [("service", 1)]
    assert "waive" not in tomllib.loads((tmp_path / "payproof.toml").read_text())


def _is_advised(events, id_):
    return any(one.get("id") == id_ and one["verdict"].get("advised") for one in events)


@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES)
def test_seeded_faults_are_told(tmp_path, name):
    """A handler with seeded faults takes no edit either, and the run ends as one that has found something."""
    with handling(name, tmp_path, FAULTS[:-1]) as handler:
        ended, edited, _ = follow(handler)
    assert (ended.code, edited) == (1, 0), ended.out[-4000:]
