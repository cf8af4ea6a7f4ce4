"""The first five minutes on small handlers: what `payproof init` writes is run without an edit."""

import re
import tomllib

import pytest

from payproof.domain.verdict import Errored
from payproof.language import read_target
from payproof.session import read_run
from tests.end_to_end.command import environment, payproof
from tests.handlers.running import FAULTS, HANDLERS, NAMES, TRUTHS, handling, problems_of, shared_files

_MOST_COMMANDS = 3
_RUN_SECONDS = 900
_MOST_DOUBLED = 1  # problems that a fault is told as beside its own
_MOST_LINES = 75
_SDKS = {"flask": "python", "django": "python", "fastapi": "python", "express": "node", "nextjs": "node"}


def commands():
    """Return the commands of the README, without the one that sets the secret's variable, and how many there are."""
    (block,) = re.findall(r"```console\n(.*?)```", (HANDLERS / "README.md").read_text(), re.DOTALL)
    lines = block.splitlines()
    return [line.split()[1:] for line in lines if line.startswith("payproof ")], len(lines)


def follow(handler):
    """Follow the README on a running handler; return how the run ended, and the edits that it took."""
    (look, run), _ = commands()
    env = environment(**handler.variables)
    written = payproof(
        *(handler.url if word.startswith("http") else word for word in look), env=env, cwd=handler.folder
    )
    assert written.code == 0, written.out + written.err
    file = handler.folder / "payproof.toml"
    before = file.read_text()
    ended = payproof(*(*run, "--report", "run.jsonl", "--seed", "1"), env=env, cwd=handler.folder, seconds=_RUN_SECONDS)
    edited = sum(one != other for one, other in zip(before.splitlines(), file.read_text().splitlines(), strict=True))
    return ended, edited


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
        files = [*(HANDLERS / name).rglob("*.[pj][ys]"), *(file for _, file in shared_files(name))]
        code = "".join(one.read_text() for one in files)
        assert all(f'"{fault}"' in code for fault in FAULTS), name
        assert len(problems_of(name, FAULTS)) == len({*problems_of(name, FAULTS)})


def problems_in(folder, name):
    """Return the problems of the recorded run, but for advice and the framework's own: rules, and where each is."""
    own = {(one["rule"], one["where"]) for one in TRUTHS["names"][name].get("own", [])}
    found = [one.problem for one in read_run(folder / "run.jsonl").problems.problems if not one.problem.advised]
    return [told for problem in found if (told := (problem.rule, problem.spot.name)) not in own]


@pytest.mark.timeout(_RUN_SECONDS + 200)
@pytest.mark.thorough
@pytest.mark.parametrize("name", NAMES)
def test_a_clean_handler_has_no_problem(record_property, tmp_path, name):
    """On a clean handler init finds all, the run starts without an edit, judges, and finds nothing wrong."""
    with handling(name, tmp_path) as handler:
        ended, edited = follow(handler)
        target = read_target(tmp_path / "payproof.toml", handler.variables)
    unknown = [id_ for id_, case in read_run(tmp_path / "run.jsonl").cases.items() if isinstance(case.verdict, Errored)]
    _record(record_property, name, tmp_path, ended, edited, "none")
    assert (edited, problems_in(tmp_path, name), unknown) == (0, [], [])
    assert ended.code == 0 or (ended.code == 1 and "own" in TRUTHS["names"][name]), ended.out[-4000:]
    assert target.webhook.path == TRUTHS["names"][name]["route"]
    assert (target.contract.framework, target.contract.sdk) == (name, _SDKS[name])
    assert [(one.name, len(target.stores)) for one in target.logs] == [("service", 1)]
    assert "waive" not in tomllib.loads((tmp_path / "payproof.toml").read_text())


#: What is not verified at all is told alike on each framework: two of them show it.
_SEEDED = [(name, FAULTS[:-1]) for name in NAMES] + [(name, FAULTS[-1:]) for name in ("flask", "express")]


@pytest.mark.timeout(_RUN_SECONDS + 200)
@pytest.mark.thorough
@pytest.mark.parametrize(("name", "seeded"), _SEEDED, ids=[f"{name}-{len(seeded)}" for name, seeded in _SEEDED])
def test_seeded_faults_are_told(record_property, tmp_path, name, seeded):
    """Each seeded fault is told as the problem that the truths name, and little else is told; no edit is needed."""
    with handling(name, tmp_path, seeded) as handler:
        ended, edited = follow(handler)
    told, expected = problems_in(tmp_path, name), problems_of(name, seeded)
    _record(record_property, name, tmp_path, ended, edited, " ".join(seeded))
    assert (ended.code, edited) == (1, 0), ended.out[-4000:]
    missing = [(rule, where) for rule, where in expected if not any(_is_told(rule, where, one) for one in told)]
    assert not missing, told
    assert len(told) <= len(expected) + _MOST_DOUBLED, told
    assert len(ended.out.splitlines()) <= _MOST_LINES


def _is_told(rule, where, problem):
    return problem[0] == rule and problem[1].startswith(where)


def _record(record_property, name, folder, ended, edited, faults):
    problems = read_run(folder / "run.jsonl").problems.problems
    advised, lines = sum(one.problem.advised for one in problems), len(ended.out.splitlines())
    row = (name, faults, len(problems) - advised, advised, lines, edited)
    record_property("handler", " | ".join(map(str, row)))
