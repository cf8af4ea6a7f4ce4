"""Of two timestamps the newer one is judged for age, while the signature of either counts."""

from tests.defects._planting import judge_two_timestamps


def plant() -> None:
    judge_two_timestamps(signed=list, aged=max)
