"""Reads target and scenario files into the domain, and says where and how they are wrong.

pydantic lives at this border only: what enters is checked by models, what leaves is the domain's.
"""

from payproof.language.openapi import read_openapi
from payproof.language.record import decode_event, encode_event
from payproof.language.scenario_file import read_scenario, read_scenarios, scenario_schema
from payproof.language.target_file import read_target, target_schema

__all__ = [
    "decode_event",
    "encode_event",
    "read_openapi",
    "read_scenario",
    "read_scenarios",
    "read_target",
    "scenario_schema",
    "target_schema",
]
