"""A delivery waits for Stripe's answer as long as that takes, and has no limit of its own."""

from dataclasses import replace

from payproof_reference.services.events import recorder
from payproof_reference.services.stripe.retry import READS, Policies


def plant() -> None:
    patient = Policies(reads=replace(READS, attempt_seconds=600, total_seconds=3600))
    Policies.within = lambda *_seconds: patient
    recorder.ANSWER_SECONDS = 600
