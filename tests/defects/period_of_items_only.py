"""The end of the paid period is read where the newest API version has it, and nowhere else."""

from payproof_reference.services.stripe.snapshots import SubscriptionSnapshot


def plant() -> None:
    SubscriptionSnapshot.period_end = property(
        lambda self: self.items.data[0].current_period_end if self.items.data else None
    )
