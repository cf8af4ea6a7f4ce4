"""A timestamp with a fraction is cut to its seconds, as `parseInt` does, before it is verified."""

from tests.defects._planting import rewrite_timestamp


def plant() -> None:
    rewrite_timestamp(lambda text: text.partition(".")[0])
