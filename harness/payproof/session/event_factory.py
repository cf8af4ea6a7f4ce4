from payproof.adapters.data import data_folder
from payproof.stripe.events import EventFactory

__all__ = ["event_factory"]


def event_factory(seed: int | str, run: str = "") -> EventFactory:
    """Return what makes Stripe events from the fixtures; with ``run``, under ids of a run's own."""
    return EventFactory(data_folder("fixtures") / "events", seed=seed, run=run)
