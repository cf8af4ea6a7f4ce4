"""An event of a type that the service does not handle is refused, and Stripe repeats it for days."""

from payproof_reference.services import snapshots
from payproof_reference.services.webhooks import Cause, RejectedError


def plant() -> None:
    read = snapshots.read

    def strictly(event):
        if (snapshot := read(event)) is None:
            raise RejectedError(Cause.NOT_AN_EVENT)
        return snapshot

    snapshots.read = strictly
