"""Any subscription that is active grants the plan, whatever its price is."""

from payproof_reference.routes import subscriptions
from payproof_reference.services.state.entitlement import GRANTING


def plant() -> None:
    subscriptions.is_entitled = lambda terms, _plans, _now: terms.status in GRANTING
