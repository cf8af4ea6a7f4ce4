"""The last of two timestamps is signed and the first judged for age: one reader takes a dict, one the first match."""

from tests.defects._planting import judge_two_timestamps


def plant() -> None:
    judge_two_timestamps(signed=lambda stamps: stamps[-1:], aged=lambda stamps: stamps[0])
