"""The end of a dispute is not listened to: one that was lost stays open for ever."""

from payproof_reference.services.events import event_types


def plant() -> None:
    del event_types.MODELS["charge.dispute.closed"]
