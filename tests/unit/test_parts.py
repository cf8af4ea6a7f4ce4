"""The parts of the tests that CI takes by turns."""

from dataclasses import dataclass

import pytest

from tests.parts import choose_part, read_part


@dataclass(frozen=True)
class Item:
    nodeid: str
    marker: str = ""

    def get_closest_marker(self, name):
        return name == self.marker


MANY = [Item(f"test_a.py::test_many[{number}]", "thorough") for number in range(11)]
FEW = [Item(f"test_a.py::test_few[{number}]", "thorough") for number in range(3)]
TOGETHER = [Item(f"folder/test_{number}.py::test_{number}", "thorough") for number in range(6)]
PROPERTIES = [Item(f"test_{number}.py::test_property", "property") for number in range(9)]
USUAL = [Item(f"test_b.py::test_usual[{number}]") for number in range(20)]


def test_parts_are_all_together():
    """What has many variants is in one part each, what few have together is divided too, and the rest is in all."""
    parts = [choose_part([*MANY, *FEW, *TOGETHER, *PROPERTIES, *USUAL], part, 4) for part in range(4)]
    assert sorted(one.nodeid for part in parts for one in part if one in MANY) == sorted(one.nodeid for one in MANY)
    assert {one for part in parts for one in part if one in PROPERTIES} == {*PROPERTIES}
    assert sorted(one.nodeid for part in parts for one in part if one in TOGETHER) == [one.nodeid for one in TOGETHER]
    for part in parts:
        assert {*FEW, *USUAL} <= {*part}
        assert 2 <= len({*part} & {*MANY}) <= 3
        assert len(part) == len({*part})


def test_small_groups_are_spread_over_the_parts():
    """Where there are more parts than variants, no part has the first of every group."""
    items = [Item(f"test_{name}.py::test[{number}]", "thorough") for name in range(20) for number in range(12)]
    parts = [choose_part(items, part, 48) for part in range(48)]
    assert sorted(one.nodeid for part in parts for one in part) == sorted(one.nodeid for one in items)
    assert max(map(len, parts)) < 15


@pytest.mark.parametrize("wrong", ["4/4", "1/0", "-1/4"])
def test_a_part_that_there_is_not(monkeypatch, wrong):
    """A part that there is not is an error, and no run without a test."""
    monkeypatch.setenv("PAYPROOF_PART", wrong)
    with pytest.raises(AssertionError, match="the parts of 4 are"):
        read_part()
