"""The payment flows that come with Payproof."""

from collections.abc import Mapping
from functools import cache

from payproof.adapters.data import data_folder
from payproof.domain.flow import Flow
from payproof.language import read_flows

__all__ = ["all_flows"]


@cache
def all_flows() -> Mapping[str, Flow]:
    """Return every flow by its name."""
    return {flow.name: flow for flow in read_flows(data_folder("fixtures") / "flows")}
