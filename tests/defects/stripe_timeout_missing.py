"""An answer of Stripe's is waited for without end."""

from dataclasses import replace

from payproof_reference.services.stripe.retry import WRITES, Policies


def plant() -> None:
    patient = Policies(writes=replace(WRITES, attempt_seconds=600, total_seconds=3600))
    Policies.within = lambda *_seconds: patient
