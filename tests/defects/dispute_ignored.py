"""A dispute that a bank opens is not listened to."""

from payproof_reference.services.events import event_types


def plant() -> None:
    del event_types.MODELS["charge.dispute.created"]
