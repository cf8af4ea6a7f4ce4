"""The age of a signature is not judged, so that a captured delivery can be repeated for ever (flipper#1022)."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    webhooks.is_fresh = lambda *_: True
