"""Events are acknowledged but never applied: the handler answers 200 and drops them.

What an `except Exception: pass` around the handler, or a queue that nobody reads, looks like from outside.
"""

from reference_impl.services import billing
from reference_impl.services.billing import Outcome, Receipt


def plant() -> None:
    billing.record = lambda *_, **__: Receipt(Outcome.APPLIED)
