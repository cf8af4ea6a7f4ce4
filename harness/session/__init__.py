"""Composition root: the only place that builds adapters and joins them with the engine."""

from harness.session.delivery import deliver_once
from harness.session.discovery import describe_target
from harness.session.lanes import Lanes, open_lanes
from harness.session.record import rejudged
from harness.session.run import (
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
    "Choice",
    "EmbeddedStore",
    "Lanes",
    "Session",
    "all_scenarios",
    "asks_for_fuzzing",
    "asks_for_operations",
    "choose",
    "count",
    "deliver_once",
    "describe_target",
    "event_factory",
    "open_lanes",
    "open_session",
    "rejudged",
]
