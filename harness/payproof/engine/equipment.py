from collections.abc import Mapping
from dataclasses import dataclass, field

from payproof.canary import Ledger
from payproof.domain.flow import Flow
from payproof.engine.ports import (
    Clock,
    Commands,
    EventSource,
    Instances,
    MemoryMeter,
    Outages,
    Sender,
    Upstream,
    Writer,
)
from payproof.engine.search_at_rest import SearchAtRest
from payproof.stripe.flows import StripeAccount

__all__ = ["Equipment"]


@dataclass(frozen=True, slots=True)
class Equipment:
    """All that the session hands to the engine for the cases of a run.

    Without an ``upstream`` the target calls another Stripe than the harness's, and without a ``writer`` no row can be
    written into its database. Without ``instances`` no second one of it can be started, and without ``memory``
    nobody knows how much of that it takes. ``account`` is where payment flows are played: Stripe in its test mode, or
    the double, and ``flows`` are those that there are.
    """

    sender: Sender
    events: EventSource
    ledger: Ledger
    clock: Clock
    at_rest: SearchAtRest
    commands: Commands
    outages: Outages
    upstream: Upstream | None = None
    writer: Writer | None = None
    instances: Instances | None = None
    memory: MemoryMeter | None = None
    account: StripeAccount | None = None
    flows: Mapping[str, Flow] = field(default_factory=dict)
