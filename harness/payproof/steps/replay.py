from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import step
from payproof.stripe.forgeries import forge
from payproof.stripe.forgery import Material

__all__ = ["Replay"]


@step
@dataclass(frozen=True, slots=True)
class Replay(Step):
    """Send the last request again ``times`` times in a row: the same bytes, or with ``changed`` another body."""

    name: ClassVar[str] = "replay"
    times: int = 1
    changed: bool = False

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Send it."""
        last = context.sent[-1]
        if self.changed:
            material = Material(body=last.body, secret="", now=context.clock.now(), random=context.random)
            changed = forge("body_changed.one_byte", material).body
            last = replace(last, body=changed, note=f"{last.note}; then one byte of the body changed")
        return [await context.send(last) for _ in range(self.times)]
