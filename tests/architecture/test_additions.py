"""A new check, step or detector is one file: it works without a change anywhere else, and no test has to know it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.command import PAYPROOF, environment, payproof, target_file
from tests.end_to_end.hostile import Server, answer

ROOT = Path(__file__).parents[2]

STEP = '''
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.registry import step


@step
@dataclass(frozen=True, slots=True)
class AskForTea(Step):
    """Ask the target for tea."""

    name: ClassVar[str] = "ask_for_tea"
    path: str = "/tea"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Ask."""
        return [await context.send(Request("GET", self.path, (), b"", "tea is asked for"))]
'''

CHECK = '''
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding
from payproof.domain.observation import Answer, Channel
from payproof.domain.seen import Seen
from payproof.registry import check, detectors


@check
@dataclass(frozen=True, slots=True)
class NoTeapot(Check):
    """No answer names a teapot."""

    name: ClassVar[str] = "no_teapot"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.HTTP})

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each teapot."""
        for exchange in seen.exchanges:
            if isinstance(exchange.answer, Answer):
                for hit in detectors()["teapot"].find(exchange.answer.body.encode()):
                    yield Finding(self.name, "no teapot", hit.what, exchange.step)
'''

DETECTOR = '''
from collections.abc import Iterator
from typing import ClassVar

from payproof.domain.detector import Detector, Hit
from payproof.domain.finding import Confidence, Severity
from payproof.registry import detector


@detector
class Teapot(Detector):
    """A teapot (RFC 2324)."""

    name: ClassVar[str] = "teapot"
    severity: ClassVar[Severity] = Severity.LOW
    positive: ClassVar[tuple[bytes, ...]] = (b"I am short and stout.",)
    negative: ClassVar[tuple[bytes, ...]] = (b"I am a coffee machine.",)

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return the first teapot."""
        place = data.find(b"short and stout")
        if place >= 0:
            yield Hit(place, place + 15, "a teapot", Confidence.HIGH, "s***t")
'''

DISCLOSURE = '''
from typing import ClassVar

from payproof.forms import Form, FormDetector, Forms
from payproof.registry import detector


@detector
class BrewError(FormDetector):
    """Texts of a coffee machine that fails."""

    name: ClassVar[str] = "brew_error"
    by_error: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = (b"BrewException: no beans",)
    negative: ClassVar[tuple[bytes, ...]] = (b"The coffee is not ready.",)
    forms: ClassVar[Forms] = Forms(Form("error of a coffee machine", rb"BrewException: "))
'''

SCENARIO = """
title: The target tells nobody that it is a teapot
severity: low
requirement:
  - {id: RFC 2324, says: "The resulting entity body MAY be short and stout."}
control:
  do: [deliver]
  expect: [accepted]
do:
  - ask_for_tea: {path: /tea?milk=no}
expect:
  - no_teapot: {at: 0}
cases:
  tea: {}
defects: {teapot_shown: no_teapot}
"""

RUN = """
import json, sys
from pathlib import Path
from payproof.language import read_scenario
from payproof.session import open_session

scenario = read_scenario(Path(sys.argv[1]), "kitchen/tea")
with open_session(Path(sys.argv[2]), seed=1) as session:
    verdict = session.judge_case(scenario, scenario.cases[0]).verdict
print(json.dumps({"kind": verdict.kind, "checks": sorted({one.check for one in getattr(verdict, "findings", ())})}))
"""


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    """A distribution of new parts, a file for each; return the environment that finds it, and a scenario."""
    folder = tmp_path_factory.mktemp("kitchen")
    package = folder / "kitchen"
    parts = {
        "steps": {"ask_for_tea": STEP},
        "checks": {"no_teapot": CHECK},
        "detectors": {"teapot": DETECTOR, "brew_error": DISCLOSURE},
    }
    package.mkdir()
    for files in parts.values():
        for name, text in files.items():
            (package / f"{name}.py").write_text(text)
    described = folder / "kitchen-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: kitchen\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text(
        "".join(
            f"[payproof.{family}]\n" + "".join(f"{name} = kitchen.{name}\n" for name in files)
            for family, files in parts.items()
        )
    )
    (folder / "tea.yaml").write_text(SCENARIO)
    return environment(PYTHONPATH=str(folder)), folder / "tea.yaml"


@pytest.mark.parametrize(
    ("body", "kind", "checks"), [("tea", "passed", []), ("I am short and stout", "failed", ["no_teapot"])]
)
def test_a_scenario_uses_a_new_step_and_check(tmp_path, kitchen, body, kind, checks):
    """A scenario that names them runs on a target and is judged, by the new detector too."""
    env, scenario = kitchen

    def behave(peer, request):
        peer.send(answer(200, body.encode() if request.target.startswith("/tea") else b"{}"))

    with Server(behave) as server:
        file = target_file(tmp_path, server.url)
        ended = payproof("-c", RUN, scenario, file, program=sys.executable, env=env)
    assert ended.err == ""
    assert json.loads(ended.out) == {"kind": kind, "checks": checks}


def test_a_search_uses_a_new_detector(tmp_path, kitchen):
    """What a new detector finds in a file is told, as severe as the detector says."""
    env, _ = kitchen
    (tmp_path / "menu.txt").write_text("one short and stout\n")
    ended = payproof("scan", tmp_path / "menu.txt", "--format", "jsonl", env=env)
    assert ended.code == 1, ended.err
    found = [json.loads(line) for line in ended.out.splitlines()]
    assert [(one["kind"], one["severity"]) for one in found if "severity" in one] == [("teapot", "low")]


def test_an_editor_knows_new_parts(kitchen):
    """The schema that the program prints has the new step and the new check with their parameters."""
    env, _ = kitchen
    schema = json.loads(payproof("schema", "scenario", env=env, program=PAYPROOF).out)
    named = {
        family: {name for form in schema["$defs"][family]["anyOf"] for name in form.get("enum", ())}
        for family in ("step", "check")
    }
    assert "ask_for_tea" in named["step"]
    assert "no_teapot" in named["check"]


def test_no_test_has_to_know_new_parts(kitchen):
    """The tests that hold for all parts of a family hold for new ones without a change."""
    env, _ = kitchen
    tests = [
        *("tests/unit/test_registry.py", "tests/unit/test_expectations.py", "tests/scan/test_parts.py"),
        *("tests/unit/test_detectors.py", "tests/error_pages/test_error_pages.py"),
    ]
    chosen = "every or registered or no_code or at_rest or samples or corpus or recall or safe"
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k", chosen, "-m", "not thorough", *tests],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout
