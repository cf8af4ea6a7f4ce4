"""What was promised during an outage is done under a new key, and so a second time when the first was taken."""

from dataclasses import replace

from payproof_reference.services.operations import attempts


def plant() -> None:
    call = attempts.call_stripe

    def under_another(gateway, operation):
        return call(gateway, replace(operation, operation_id=f"{operation.operation_id}_{operation.attempts}"))

    attempts.call_stripe = under_another
