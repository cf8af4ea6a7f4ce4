"""An event that came while many waited is refused for good: its id was noted before there was a place for it."""

from payproof_reference.services.events.recorder import Recorder

MOST_WAITING = 12


def plant() -> None:
    record, noted = Recorder.record, set()

    async def record_unless_busy(self, event, **more):
        if event.id in noted or len(self._waiting) >= MOST_WAITING:
            noted.add(event.id)
            raise TimeoutError
        return await record(self, event, **more)

    Recorder.record = record_unless_busy
