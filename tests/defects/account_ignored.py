"""An event counts whichever connected account it is of; only the mode is compared."""

from payproof_reference.services.events import inbox


def plant() -> None:
    inbox.has_right_account = lambda event, *, account: event.context in (None, "", account)
