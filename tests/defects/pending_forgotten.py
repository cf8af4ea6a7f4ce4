"""What was promised during an outage is never done."""

from payproof_reference.services.operations.attempts import Attempts


def plant() -> None:
    Attempts.work_once = lambda _self: False
