"""Reads target and scenario files into the domain, and says where and how they are wrong.

pydantic lives at this border only: what enters is checked by models, what leaves is the domain's.
"""

from payproof.language.flow_file import read_flows
from payproof.language.openapi import read_openapi
from payproof.language.own_scenarios import OwnScenarios, read_own_scenarios
from payproof.language.problem_lines import problem_lines_schema, read_problem_lines
from payproof.language.record import decode_event, encode_event
from payproof.language.requirements_file import read_requirements
from payproof.language.scenario_file import (
    locate_case,
    read_case_names,
    read_scenario,
    read_scenarios,
    scenario_schema,
)
from payproof.language.target_file import read_scenario_folders, read_target, target_schema
from payproof.language.target_mapping import read_target_mapping

__all__ = [
    "OwnScenarios",
    "decode_event",
    "encode_event",
    "locate_case",
    "problem_lines_schema",
    "read_case_names",
    "read_flows",
    "read_openapi",
    "read_own_scenarios",
    "read_problem_lines",
    "read_requirements",
    "read_scenario",
    "read_scenario_folders",
    "read_scenarios",
    "read_target",
    "read_target_mapping",
    "scenario_schema",
    "target_schema",
]
