"""An event of a type that the service does not handle is refused, and Stripe repeats it for days."""

from payproof_reference.services.events import event_types
from payproof_reference.services.events.webhooks import Cause, RejectedError


def plant() -> None:
    read = event_types.read_snapshot

    def strictly(event):
        if (snapshot := read(event)) is None:
            raise RejectedError(Cause.NOT_AN_EVENT)
        return snapshot

    event_types.read_snapshot = strictly
