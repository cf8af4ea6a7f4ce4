"""A Checkout that is paid after its end is ignored: only its end is listened to."""

from payproof_reference.services.events import event_types


def plant() -> None:
    del event_types.MODELS["checkout.session.async_payment_succeeded"]
