"""Which part of many tests that are alike a run takes: with PAYPROOF_PART=1/4 it takes the second quarter of them.

CI has no time for all, and lets the commit decide which part it takes: a failure is then the same again, and whoever
commits a few times has had all.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from zlib import crc32

import pytest

__all__ = ["choose_part", "read_part"]

_MANY = 5


def read_part() -> tuple[int, int]:
    """Return which part of how many this run takes, from 0; all is part 0 of 1."""
    part, _, parts = os.environ.get("PAYPROOF_PART", "0/1").partition("/")
    assert 0 <= int(part) < int(parts), f"PAYPROOF_PART={part}/{parts}: the parts of 4 are 0/4, 1/4, 2/4 and 3/4"
    return int(part), int(parts)


def choose_part(items: Sequence[pytest.Item], part: int, parts: int) -> list[pytest.Item]:
    """Return a part of each group that is large: the variants of one thorough test, and all tests of properties.

    Each test of a group is in one part. Which one the first is in depends on the group's name: else the first parts
    would have all groups with fewer tests than there are parts. Thorough tests with few variants are a group together,
    folder by folder.
    """
    groups = defaultdict[str, list[pytest.Item]](list)
    kept: list[pytest.Item] = []
    for item in items:
        if item.get_closest_marker("property"):
            groups["property"].append(item)
        elif item.get_closest_marker("thorough") or item.get_closest_marker("neighbours"):
            groups[item.nodeid.partition("[")[0]].append(item)
        else:
            kept.append(item)
    folders = defaultdict[str, list[pytest.Item]](list)
    for name in [name for name, group in groups.items() if len(group) < _MANY]:
        folders[name.partition("::")[0].rpartition("/")[0]] += groups.pop(name)
    for name, group in (*groups.items(), *folders.items()):
        group.sort(key=lambda item: item.nodeid)
        kept += group[(part + crc32(name.encode())) % parts :: parts] if len(group) >= _MANY else group
    return kept
