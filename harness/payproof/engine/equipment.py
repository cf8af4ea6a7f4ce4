from dataclasses import dataclass

from payproof.canary import Ledger
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

__all__ = ["Equipment"]


@dataclass(frozen=True, slots=True)
class Equipment:
    """All that the session hands to the engine for the cases of a run.

    Without an ``upstream`` the target calls another Stripe than the harness's, and without a ``writer`` no row can be
    written into its database. Without ``instances`` no second one of it can be started, and without ``memory``
    nobody knows how much of that it takes.
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
