"""Whose turn it is among the control events: shared by all cases of a run, as it follows the target's state."""

from payproof.domain.control import ControlEvent, ControlEvents

__all__ = ["ControlTurns"]


class ControlTurns:
    """The control events of a run; the next one has its turn once the target has taken the present one."""

    def __init__(self, events: ControlEvents | None = None) -> None:
        self.events = events or ControlEvents()
        self._made: dict[str, ControlEvent] = {}
        self._position = 0

    @property
    def present(self) -> ControlEvent:
        """The event that would change something now."""
        turns = self.events.turns
        return turns[self._position % len(turns)]

    def note_made(self, event_id: str) -> None:
        """Remember an event that was made for the present turn."""
        self._made[event_id] = self.present

    def note_accepted(self, event_id: str) -> None:
        """Give the next event its turn, where the present one was accepted for the first time."""
        if self._made.pop(event_id, None) is self.present:
            self._position += 1
            self._made.clear()
