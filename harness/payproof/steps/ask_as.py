from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.access_requests import Who, refused_actors, refused_requests
from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step

__all__ = ["AskAs"]


@step
@dataclass(frozen=True, slots=True)
class AskAs(Step):
    """Ask for operations as somebody to whom they are to be refused.

    ``who`` is nobody, or has a credential that is empty, made up, changed, a placeholder, or of HTTP's Basic scheme;
    or says by a proxy's headers who they are. Or is known: ``expired``, or of a ``lower`` role, for the operations that
    the target file does not let them do; also with the claim to be more, and by other forms of the path.
    """

    name: ClassVar[str] = "ask_as"
    who: Who = "nobody"
    requests: int = 400
    seconds: float = 30.0

    def unfit(self, target: Target) -> Gap | None:
        """Return that a credential that stands after no scheme cannot be of another."""
        rightful = [one.principal for one in target.operations.values() if one.principal is not None]
        if self.who == "basic" and rightful and rightful[0].header.lower() != "authorization":
            return Gap("the credentials of the target file stand in a header of their own, which has no schemes")
        return None

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Ask one after the other."""
        context.stripe.arm()
        return [
            await context.send(request)
            for actor in refused_actors(context.target, self.who, context.random)
            for request in refused_requests(context.target, actor, self.who, context.kept)
        ]
