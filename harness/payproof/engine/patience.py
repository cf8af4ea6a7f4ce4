"""How long effects of a run took to show, and so how long what must not happen is watched."""

__all__ = ["Patience"]

_QUICK_LOOK = 0.05


class Patience:
    """How long effects of this run took to show; what must not happen is watched twice as long."""

    def __init__(self) -> None:
        self._slowest_effect = self._slow_look = 0.0

    def note_effect(self, waited: float, shown: float) -> None:
        """Take note of an effect that was waited for so long, and was seen by a look that ended so late.

        Where a busy machine makes the look slow, the effect may have come as late as that; the next effect tells anew.
        """
        self._slowest_effect = max(self._slowest_effect, waited)
        self._slow_look = shown if shown > _QUICK_LOOK else 0.0

    @property
    def seconds(self) -> float:
        """How long what must not happen is watched."""
        return 2 * max(self._slowest_effect, self._slow_look)
