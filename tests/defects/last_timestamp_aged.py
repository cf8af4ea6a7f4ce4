"""The first of two timestamps is signed and the last judged for age: one reader takes the first match, one a dict."""

from tests.defects._planting import judge_two_timestamps


def plant() -> None:
    judge_two_timestamps(signed=lambda stamps: stamps[:1], aged=lambda stamps: stamps[-1])
