"""The reference service is killed two hundred times, a hundred on each database; CI takes a part of them each time."""

import pytest

from tests.benchmarks._crashes import kill_often

EACH = 20


@pytest.mark.thorough
@pytest.mark.parametrize("first", range(0, 100, EACH))
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_no_kill_loses_an_event_or_applies_it_twice(store, first):
    """Whenever the process is killed while it handles events, each has one effect after Stripe's next delivery."""
    assert kill_often(store, EACH, first) == (EACH, [])
