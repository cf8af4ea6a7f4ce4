"""The search of hostile archives: each costs itself, in bounded memory, and what stands beside it is found."""

import re

import pytest

from tests.at_rest.made import LINES, PAN
from tests.hostile.files.archives import ARCHIVES
from tests.hostile.measured import measured

MOST = 250  # MiB, of which the program itself has 75


@pytest.mark.thorough
@pytest.mark.parametrize("name", ARCHIVES)
def test_a_hostile_archive_costs_only_itself(tmp_path, name, record_property):
    """What is beside a hostile archive is found; memory is bounded, nothing is left, and each name is on its line."""
    make, unread = ARCHIVES[name]
    (tmp_path / "a.log").write_bytes(LINES)
    (tmp_path / "hostile").write_bytes(make())
    (tmp_path / "z.log").write_bytes(LINES)
    ended = measured("scan", tmp_path, seconds=100)
    record_property("measured", ended.row(name))
    assert (ended.hung, ended.code, ended.err, ended.left) == (False, 1, "", ())
    assert ended.peak < MOST
    assert PAN not in ended.out
    found = [line for line in ended.out.splitlines() if line.startswith("new ")]
    assert len(found) == 4, ended.out
    told = [line for line in ended.out.splitlines() if line.startswith("not read: ")]
    assert bool(told) is unread, ended.out
    assert all("hostile" in line for line in told)
    assert "fault of the harness" not in ended.out
    assert re.search(r"(\d+) not read$", ended.out.strip())[1] == str(len(told))
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u2028-\u202e]", ended.out)
