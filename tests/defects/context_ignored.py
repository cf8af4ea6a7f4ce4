"""An event counts whichever account its context names: only the field for connected accounts is compared."""

from payproof_reference.services.events import inbox


def plant() -> None:
    inbox.has_right_account = lambda event, *, account: event.account in (None, "", account)
