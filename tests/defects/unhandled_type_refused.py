"""An event of a type that the service does not handle is refused, and Stripe repeats it for days."""

from payproof_reference.services.events.webhooks import Cause, RejectedError
from payproof_reference.services.stripe import snapshots


def plant() -> None:
    read = snapshots.read

    def strictly(event):
        if (snapshot := read(event)) is None:
            raise RejectedError(Cause.NOT_AN_EVENT)
        return snapshot

    snapshots.read = strictly
