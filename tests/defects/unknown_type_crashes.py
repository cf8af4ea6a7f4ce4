"""A type that is not in the table of handlers raises a KeyError."""

from payproof_reference.services.events import event_types
from payproof_reference.services.events.recorder import Recorder


def plant() -> None:
    record = Recorder.record

    async def record_known(self, event, **more):
        if event_types.read_snapshot(event) is None:
            raise KeyError(event.type)
        return await record(self, event, **more)

    Recorder.record = record_known
