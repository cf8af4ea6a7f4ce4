"""The answer to a decline names no reference, so nobody finds the log line that tells the rest."""

from payproof_reference.middleware import errors


def plant() -> None:
    right = errors.build_answer
    errors.build_answer = lambda status, detail, headers=None: right(
        status, detail.model_copy(update={"reference": None}), headers
    )
