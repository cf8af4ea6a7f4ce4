"""The scenarios on integrations that others wrote, unchanged: every true fault is found, and nothing false."""

import json
import time
import tomllib
from collections import Counter
from typing import Any

import pytest

from payproof.session import all_scenarios, choose, read_run
from tests.end_to_end.command import environment, payproof
from tests.neighbours.running import NAMES, NEIGHBOURS, running
from tests.neighbours.truth import Fault, Truth, list_found

CASES = {case.id: case for _, case in choose(all_scenarios())}
TOPICS = tuple(sorted({scenario.topic for scenario in all_scenarios()}))
_RUN_SECONDS, _TEST_SECONDS = 900, 1500  # on a machine that is busy; else none takes half of it
_MOST_EDITED = 5
#: What is set otherwise than `init` does for the speed of these tests, or by habit.
_MATTERS_OF_TASTE = frozenset({"name", "logs.0.name", "contract.effect_within"})
#: What a service tells nobody: who gets what for which payment, and where it asks Stripe.
_TOLD_BY_ITS_OWNER = ("entitlements.", "upstream.")


@pytest.mark.timeout(_TEST_SECONDS)
@pytest.mark.neighbours
@pytest.mark.parametrize("topic", TOPICS)
@pytest.mark.parametrize("name", NAMES)
def test_verdicts_are_true(record_property, tmp_path, name, topic):
    """`payproof run` finds each fault that the source has, calls nothing else a fault, and leaves nothing unknown."""
    truth = Truth.read(NEIGHBOURS / name / "truth.toml")
    report = tmp_path / "run.jsonl"
    folder = tmp_path / name
    folder.mkdir()
    record_property("neighbour", name)
    with running(name, folder) as neighbour:
        started = time.monotonic()
        ended = payproof(
            *("run", "--target", neighbour.file, "--topic", topic, "--seed", 1, "--report", report),
            env=environment(**neighbour.variables),
            cwd=folder,
            seconds=_RUN_SECONDS,
        )
        took = time.monotonic() - started
    assert report.exists(), ended.out + ended.err
    events = [json.loads(line) for line in report.read_text().splitlines()]
    judged = {event["id"]: event for event in events if "verdict" in event}
    told = truth.surprises(CASES, judged, topic)
    false, missing, unknown = (sum(line.startswith(word) for line in told) for word in ("FALSE", "MISSING", "UNKNOWN"))
    kinds = Counter(event["verdict"]["kind"] for event in judged.values())
    for kind in ("passed", "failed", "errored", "skipped"):
        record_property(kind, kinds[kind])
    record_property("problems", len(read_run(report).problems.problems))
    record_property("true", sum(len(list_found(name, event)) for name, event in judged.items()) - false)
    record_property("false", false)
    record_property("missing", missing)
    record_property("unknown", unknown)
    record_property("run s", round(took))
    assert not told, f"{len(told)} wrong verdicts on {name}\n" + "\n".join(told)


@pytest.mark.neighbours
@pytest.mark.parametrize("name", NAMES)
def test_init_writes_the_target_file(record_property, tmp_path, name):
    """From the base URL, `payproof init` writes and tries the target file, but for a few lines that nobody can guess.

    Where the webhook's path holds what nobody can guess, it is given.
    """
    truth = Truth.read(NEIGHBOURS / name / "truth.toml")
    place = () if truth.init_finds else ("--webhook", truth.path)
    with running(name, tmp_path) as neighbour:
        wanted = tomllib.loads(neighbour.file.read_text())
        neighbour.file.unlink()
        ended = payproof("init", neighbour.url, *place, env=environment(**neighbour.variables), cwd=tmp_path)
    assert ended.code == 0, ended.err
    found = _flatten(tomllib.loads(neighbour.file.read_text()))
    edited = {key: value for key, value in _flatten(wanted).items() if found.get(key) != value}
    edited = {key: value for key, value in edited.items() if key not in _MATTERS_OF_TASTE}
    edited = {key: value for key, value in edited.items() if not key.startswith(_TOLD_BY_ITS_OWNER)}
    record_property("neighbour", name)
    record_property("edited", len(edited))
    assert found["webhook.path"] == truth.path
    assert len(edited) <= _MOST_EDITED, edited


def _flatten(value: Any, place: str = "") -> dict[str, Any]:
    """Return the values of a document by their places."""
    if not isinstance(value, dict | list):
        return {place: value}
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return {key: one for name, below in inner for key, one in _flatten(below, f"{place}.{name}".lstrip(".")).items()}


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
    "It takes what is signed for the future.",
    "somewhere",
    {
        "webhook_signature/future[*]": frozenset({"rejected"}),
        "error_handling/disclosure*": frozenset({"no_disclosure"}),
    },
)
EXPIRED, DAY, YEAR = "webhook_signature/expired[301s]", "webhook_signature/future[1d]", "webhook_signature/future[1y]"
SHOWN, LOGGED = ("error_handling/disclosure", "no_disclosure"), ("audit_log/nothing_sensitive", "no_disclosure")


def _findings(*found: tuple[str, str]) -> list[dict[str, Any]]:
    """Return findings by their rules and checks."""
    return [{"check": check, "expected": "one thing", "seen": "another", "rule": rule} for rule, check in found]


def _passed(*passing: tuple[str, str]) -> dict[str, Any]:
    return {"verdict": {"kind": "passed"}, "passing": _findings(*passing)}


def _failed(check: str, *passing: tuple[str, str]) -> dict[str, Any]:
    findings = _findings(("", check))
    return {"verdict": {"kind": "failed", "findings": findings}, "passing": _findings(*passing)}


def _skipped(why: str) -> dict[str, Any]:
    return {"verdict": {"kind": "skipped", "why": why}, "passing": []}


UNKNOWN = {"verdict": {"kind": "errored", "reason": "lost", "detail": "?"}, "passing": []}


@pytest.mark.parametrize(
    ("judged", "told"),
    [
        ({DAY: _failed("rejected", SHOWN), YEAR: _passed()}, []),
        ({DAY: _failed("rejected"), YEAR: _passed(SHOWN)}, []),
        ({DAY: _failed("rejected"), "error_handling/disclosure[accepted]": _failed("no_disclosure")}, []),
        ({DAY: _failed("rejected"), YEAR: _passed()}, ["MISSING"]),
        ({DAY: _passed(SHOWN), YEAR: _passed()}, ["MISSING"]),
        ({DAY: _failed("rejected", SHOWN), YEAR: _passed(LOGGED)}, ["FALSE"]),
        ({DAY: _failed("rejected", SHOWN), YEAR: _failed("no_disclosure")}, ["FALSE"]),
        ({DAY: _failed("uniform", SHOWN), YEAR: _failed("rejected")}, ["FALSE"]),
        ({DAY: _failed("rejected", SHOWN), EXPIRED: _failed("rejected")}, ["FALSE"]),
        ({DAY: _failed("rejected", SHOWN), EXPIRED: _skipped("no store")}, ["SKIPPED"]),
        ({DAY: _failed("rejected", SHOWN), EXPIRED: _skipped("the target does not handle charge.failed")}, []),
        (
            {DAY: _failed("rejected", SHOWN), EXPIRED: _skipped("the target does not handle invoice.paid")},
            ["SKIPPED"],
        ),
        ({DAY: _failed("rejected", SHOWN), EXPIRED: UNKNOWN}, ["UNKNOWN"]),
    ],
)
def test_surprises_are_told(judged, told):
    """A fault that is not found is told, and so is what is called one falsely, is unknown, or is skipped needlessly.

    What was seen in passing goes by the rule that it counts against, whichever case has seen it.
    """
    truth = Truth((FAULT,), ("invoice.*",), frozenset(), {}, "/", init_finds=True)
    assert [line.split()[0] for line in truth.surprises(CASES, judged)] == told


@pytest.mark.parametrize(("loses", "told"), [(0, 2), (1, 1), (2, 0)])
def test_lost_effects_are_counted(loses, told):
    """Controls without an effect are unknown, but for as many as a neighbour is known to lose."""
    lost = UNKNOWN["verdict"] | {"detail": "applied: expected an effect in a store, saw none in database after 5.1 s"}
    truth = Truth((), ("invoice.*",), frozenset(), {}, "/", init_finds=True, loses=loses)
    assert len(truth.surprises(CASES, {one: {"verdict": lost, "passing": []} for one in (DAY, EXPIRED)})) == told
