"""The answer to a decline names no reference, so nobody finds the log line that tells the rest."""

from payproof_reference.middleware import errors


def plant() -> None:
    told = errors.told
    errors.told = lambda status, detail, headers=None: told(
        status, detail.model_copy(update={"reference": None}), headers
    )
