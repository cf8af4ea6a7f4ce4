from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import step
from payproof.steps.deliver import Deliver
from payproof.stripe.forgeries import FORGERIES

__all__ = ["DeliverToInstance"]


@step
@dataclass(frozen=True, slots=True)
class DeliverToInstance(Step):
    """Deliver events to the second instance of the target, one in each of some ways to sign or forge.

    A name of ``signatures`` that is only the beginning of some, such as ``missing``, means all of them. Nothing is sent
    where no instance runs, since it has refused to start.
    """

    name: ClassVar[str] = "deliver_to_instance"
    signatures: tuple[str, ...] = ("valid",)

    def __post_init__(self) -> None:
        """Refuse a signature that there is not, as soon as a scenario file is read."""
        for signature in self.signatures:
            Deliver(signature=signature)

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the events, sign or forge them, send them."""
        if not context.instance.is_running:
            return []
        there = context.at_instance()
        return [
            exchange
            for named in self.signatures
            for signature in _list_signatures(named)
            for exchange in await Deliver(signature=signature).run(there)
        ]


def _list_signatures(named: str) -> Sequence[str]:
    """Return the ways of a name to sign or forge."""
    return [named] if named in FORGERIES else [one for one in FORGERIES if one.startswith(f"{named}.")]
