"""The scenarios on integrations that others wrote, unchanged: every true fault is found, and nothing false."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from payproof.session import all_scenarios, choose
from tests.end_to_end.command import environment, payproof
from tests.neighbours.running import NAMES, NEIGHBOURS, running
from tests.neighbours.truth import Fault, Truth

CASES = {case.id: case for _, case in choose(all_scenarios())}
_RUN_SECONDS = 480


@pytest.mark.neighbours
@pytest.mark.parametrize("name", NAMES)
def test_verdicts_are_true(tmp_path, name):
    """`payproof run` finds each fault that the source has, calls nothing else a fault, and leaves nothing unknown."""
    truth = Truth.read(NEIGHBOURS / name / "truth.toml")
    report = tmp_path / "run.jsonl"
    folder = tmp_path / name
    folder.mkdir()
    with running(name, folder) as neighbour:
        ended = payproof(
            *("run", "--target", neighbour.file, "--seed", 1, "--report", report),
            env=environment(**neighbour.variables),
            cwd=folder,
            seconds=_RUN_SECONDS,
        )
    assert report.exists(), ended.out + ended.err
    told = truth.surprises(CASES, _verdicts(report))
    assert not told, f"{len(told)} wrong verdicts on {name}\n" + "\n".join(told)


@pytest.mark.neighbours
@pytest.mark.parametrize("name", NAMES)
def test_init_finds_the_webhook(tmp_path, name):
    """`payproof init` finds where the webhook is from the base URL alone, unless nobody could."""
    truth = Truth.read(NEIGHBOURS / name / "truth.toml")
    folder = tmp_path / name
    folder.mkdir()
    with running(name, folder) as neighbour:
        ended = payproof("init", neighbour.url, "--output", tmp_path / "found.toml", cwd=folder)
    assert ended.code == 0, ended.err
    found = tomllib.loads((tmp_path / "found.toml").read_text())["webhook"]["path"]
    assert (found == truth.path) is truth.init_finds, found


@pytest.mark.parametrize("name", NAMES)
def test_truths_name_what_there_is(name):
    """Each fault says where it is written and how it is found, and names cases and checks that there are."""
    truth = Truth.read(NEIGHBOURS / name / "truth.toml")
    for fault in truth.faults:
        assert fault.what.endswith("."), fault.what
        assert fault.where
        for pattern in fault.found:
            assert "*" in pattern or pattern in CASES, pattern
    target = tomllib.loads((NEIGHBOURS / name / "payproof.toml").read_text())
    assert target["webhook"]["path"] == truth.path


FAULT = Fault(
    "It takes what is signed for the future.", "somewhere", {"webhook_signature/future[*]": frozenset({"rejected"})}
)
EXPIRED, DAY, YEAR = "webhook_signature/expired[301s]", "webhook_signature/future[1d]", "webhook_signature/future[1y]"
PASSED = {"kind": "passed"}


def _failed(*checks: str) -> dict[str, Any]:
    findings = [{"check": check, "expected": "one thing", "seen": "another"} for check in checks]
    return {"kind": "failed", "findings": findings}


def _skipped(why: str) -> dict[str, Any]:
    return {"kind": "skipped", "why": why}


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ({DAY: _failed("rejected"), YEAR: PASSED}, []),
        ({DAY: PASSED, YEAR: PASSED}, ["MISSING"]),
        ({DAY: _failed("uniform"), YEAR: _failed("rejected")}, ["FALSE"]),
        ({DAY: _failed("rejected"), EXPIRED: _failed("rejected")}, ["FALSE"]),
        ({DAY: _failed("rejected"), EXPIRED: _skipped("no store")}, ["SKIPPED"]),
        ({DAY: _failed("rejected"), EXPIRED: _skipped("the target does not handle charge.failed")}, []),
        ({DAY: _failed("rejected"), EXPIRED: _skipped("the target does not handle invoice.paid")}, ["SKIPPED"]),
        ({DAY: _failed("rejected"), EXPIRED: {"kind": "errored", "reason": "lost", "detail": "?"}}, ["UNKNOWN"]),
    ],
)
def test_surprises_are_told(verdicts, told):
    """A fault that is not found is told, and so is what is called one falsely, is unknown, or is skipped needlessly."""
    truth = Truth((FAULT,), ("invoice.*",), frozenset(), {}, "/", init_finds=True)
    assert [line.split()[0] for line in truth.surprises(CASES, verdicts)] == told


def _verdicts(report: Path) -> dict[str, dict[str, Any]]:
    events = map(json.loads, report.read_text().splitlines())
    return {event["id"]: event["verdict"] for event in events if "verdict" in event}
