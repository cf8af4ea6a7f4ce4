"""A refund is not listened to: the payment stays as if nothing was paid back."""

from payproof_reference.services.events import event_types


def plant() -> None:
    del event_types.MODELS["charge.refunded"]
