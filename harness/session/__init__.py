"""Composition root: the only place that builds adapters and joins them with the engine."""

from harness.session.choosing import FILE_NAME, described_choice, find_target, target_or_reference
from harness.session.delivery import deliver_once
from harness.session.discovery import describe_target
from harness.session.lanes import Lanes, open_lanes
from harness.session.own_test import OwnTest
from harness.session.record import rejudged
from harness.session.run import (
    MOST_SEED,
    Choice,
    EmbeddedStore,
    Session,
    all_scenarios,
    asks_for_fuzzing,
    asks_for_operations,
    choose,
    count,
    event_factory,
    open_session,
)

__all__ = [
    "FILE_NAME",
    "MOST_SEED",
    "Choice",
    "EmbeddedStore",
    "Lanes",
    "OwnTest",
    "Session",
    "all_scenarios",
    "asks_for_fuzzing",
    "asks_for_operations",
    "choose",
    "count",
    "deliver_once",
    "describe_target",
    "described_choice",
    "event_factory",
    "find_target",
    "open_lanes",
    "open_session",
    "rejudged",
    "target_or_reference",
]
