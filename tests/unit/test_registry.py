from dataclasses import dataclass
from typing import ClassVar

import pytest

from payproof import registry
from payproof.domain.check import Check
from payproof.domain.detector import Detector, Hit
from payproof.domain.finding import Confidence
from payproof.domain.step import Step
from payproof.errors import ConfigurationError


class Finds(Detector):
    """A detector of the word "stack"."""

    name: ClassVar[str] = "made up"
    positive: ClassVar[tuple[bytes, ...]] = (b"a stack",)
    negative: ClassVar[tuple[bytes, ...]] = (b"nothing",)

    def find(self, data):
        """Find it."""
        if b"stack" in data:
            yield Hit(0, 1, "stack", Confidence.HIGH)


@pytest.fixture(autouse=True)
def families(monkeypatch):
    """Families of their own for each test."""
    for family in (registry.steps, registry.checks, registry.detectors, registry.store_sources, registry.log_sources):
        family()  # what is found for the first time is found for all tests
    for family in ("_steps", "_checks", "_detectors", "_stores", "_logs"):
        monkeypatch.setattr(registry, family, dict(getattr(registry, family)))


def test_detector_registers_with_samples():
    """A detector whose samples agree with it is registered."""
    registry.detector(Finds)
    assert "made up" in registry.detectors()


@pytest.mark.parametrize(
    ("samples", "said"),
    [
        ({"positive": ()}, "has no positive samples"),
        ({"negative": ()}, "has no negative samples"),
        ({"positive": (b"a stack", b"none")}, "finds nothing in its positive sample 1"),
        ({"negative": (b"a stack",)}, "finds something in its negative sample 0"),
    ],
)
def test_detector_without_right_samples_does_not_register(samples, said):
    """A detector that lacks samples, or that its own samples prove wrong, is refused."""
    with pytest.raises(ConfigurationError, match=said):
        registry.detector(type("Wrong", (Finds,), samples))
    assert "made up" not in registry.detectors()


def test_two_parts_of_one_name():
    """Two parts of one family cannot share a name."""
    registry.detector(Finds)
    with pytest.raises(ConfigurationError, match="two parts of one family are named 'made up'"):
        registry.detector(Finds)
    for register in (registry.store_source("made"), registry.log_source("made")):
        register(lambda _: None)
        with pytest.raises(ConfigurationError, match="named 'made'"):
            register(lambda _: None)


def test_part_is_a_dataclass():
    """A step's fields are its parameters, so it is a dataclass."""
    with pytest.raises(TypeError, match="is not a dataclass"):
        registry.step(type("Odd", (Step,), {"name": "odd"}))


@pytest.mark.parametrize("family", ["step", "check", "detector"])
def test_part_derives_from_its_family(family):
    """A part that has all that a family asks for, but not its defaults, is refused."""
    with pytest.raises(TypeError, match=f"Odd does not derive from payproof.domain.{family}.{family.title()}"):
        getattr(registry, family)(dataclass(type("Odd", (), {"name": "odd"})))


@pytest.mark.parametrize(("family", "kind"), [(registry.steps, Step), (registry.checks, Check)])
def test_every_part_keeps_its_family_s_contract(family, kind):
    """Each registered part is a frozen dataclass with a docstring, named as its file, made without parameters."""
    for name, part in family().items():
        made = part()
        assert isinstance(made, kind)
        assert part.name == name
        assert part.__module__.rpartition(".")[2] == name
        assert part.__doc__
        assert part.__dataclass_params__.frozen


def test_every_check_needs_a_channel():
    """No check can hold without having seen something."""
    for name, check in registry.checks().items():
        assert check.channels or check.reads, name
        assert isinstance(check.patient, bool)


def test_every_detector_proves_itself():
    """Each detector has samples of both kinds."""
    for detector in registry.detectors().values():
        assert detector.positive
        assert detector.negative


@pytest.mark.parametrize(
    ("word", "known", "hint"),
    [
        ("delivr", ["deliver", "replay"], "did you mean 'deliver'?"),
        ("xyz", ["deliver", "replay"], "known: deliver, replay"),
        ("xyz", [str(n) * 9 for n in range(30)], "30 are known"),
    ],
)
def test_nearest(word, known, hint):
    """A word that is not known gets the nearest one, or all where they are few."""
    assert registry.nearest(word, known) == hint


@dataclass(frozen=True)
class Elsewhere(Step):
    """A step of another distribution."""

    name: ClassVar[str] = "elsewhere"

    async def run(self, _context):
        """Do nothing."""
        return ()


def test_parts_of_other_distributions(monkeypatch):
    """Another distribution adds a part by an entry point."""

    class Entry:
        def load(self):
            registry.step(Elsewhere)

    asked = []
    monkeypatch.setattr(registry, "entry_points", lambda group: asked.append(group) or [Entry()])
    registry._discover.__wrapped__("steps")
    assert asked == ["payproof.steps"]
    assert registry._steps["elsewhere"] is Elsewhere
