"""Events are acknowledged but never applied: the handler answers 200 and drops them.

What an `except Exception: pass` around the handler, or a queue that nobody reads, looks like from outside.
"""

from payproof_reference.services.events.delivery import EventOutcome, Receipt
from payproof_reference.services.events.recorder import Recorder


def plant() -> None:
    async def dropped(*_, **__):
        return Receipt(EventOutcome.APPLIED)

    Recorder.record = dropped
