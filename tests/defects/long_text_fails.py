"""A body that is longer than expected is an error that nobody handles."""

from payproof_reference.middleware import card_data


def plant() -> None:
    class TooLongError(Exception):
        """What nobody knows."""

    card_data.BodyTooLargeError = TooLongError
