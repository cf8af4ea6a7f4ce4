"""Zeros before the timestamp are passed over, so that one signature has many headers."""

from tests.defects._planting import rewrite_timestamp


def plant() -> None:
    rewrite_timestamp(lambda text: text.lstrip("0") or text)
