"""Composition root: the only place that builds adapters and joins them with the engine."""

from payproof.session.calibrating import find_named_types
from payproof.session.choosing import FILE_NAME, described_choice, find_target, target_or_reference
from payproof.session.comparing import RecordedRun, compare_runs, read_run
from payproof.session.delivery import deliver_once
from payproof.session.discovery import Wishes, write_target_file
from payproof.session.doctor import Examination, Lack, examine
from payproof.session.ending import Terms, count_verdicts, read_accepted
from payproof.session.event_factory import event_factory
from payproof.session.fitting import try_target_file
from payproof.session.flow import ActDone, play_flow
from payproof.session.flows import all_flows
from payproof.session.given import read_given
from payproof.session.interrupts import hold_interrupts
from payproof.session.lanes import Lanes, open_lanes
from payproof.session.own_test import OwnTest
from payproof.session.pinning import describe_differences, pin, pin_file, write_beside
from payproof.session.reach import Examined
from payproof.session.reconciling import Reconciliation, reconcile_rows
from payproof.session.record import rejudge
from payproof.session.replaying import Playback, replay_events
from payproof.session.run import (
    GIVEN,
    MOST_SEED,
    EmbeddedStore,
    Session,
    asks_for_fuzzing,
    asks_for_operations,
    choose,
    open_session,
)
from payproof.session.scenario_names import name_cases, name_scenarios
from payproof.session.scenarios import all_scenarios, check_scenarios, scenario_folders
from payproof.session.telling import Choice

__all__ = [
    "FILE_NAME",
    "GIVEN",
    "MOST_SEED",
    "ActDone",
    "Choice",
    "EmbeddedStore",
    "Examination",
    "Examined",
    "Lack",
    "Lanes",
    "OwnTest",
    "Playback",
    "Reconciliation",
    "RecordedRun",
    "Session",
    "Terms",
    "Wishes",
    "all_flows",
    "all_scenarios",
    "asks_for_fuzzing",
    "asks_for_operations",
    "check_scenarios",
    "choose",
    "compare_runs",
    "count_verdicts",
    "deliver_once",
    "describe_differences",
    "described_choice",
    "event_factory",
    "examine",
    "find_named_types",
    "find_target",
    "hold_interrupts",
    "name_cases",
    "name_scenarios",
    "open_lanes",
    "open_session",
    "pin",
    "pin_file",
    "play_flow",
    "read_accepted",
    "read_given",
    "read_run",
    "reconcile_rows",
    "rejudge",
    "replay_events",
    "scenario_folders",
    "target_or_reference",
    "try_target_file",
    "write_beside",
    "write_target_file",
]
