from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.access import Promise
from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import step
from payproof.steps.guess_credential import guessed_of, make_sign_in

__all__ = ["SignIn"]


@step
@dataclass(frozen=True, slots=True)
class SignIn(Step):
    """Sign in with the right credential of the principal that ``[contract.lockout]`` names.

    From the address that has ``guessed``, or from ``elsewhere``: that of all other requests. What is promised from
    there decides what must become of it; where nothing is, or the target is on another machine, it is not tried.
    """

    name: ClassVar[str] = "sign_in"
    whence: Literal["before", "guessed", "elsewhere"] = "before"

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Sign in."""
        lockout, principal = guessed_of(context)
        if self.whence == "elsewhere" and not (lockout.elsewhere and context.target.is_local):
            return []
        allowed = self.whence == "before" or (self.whence == "elsewhere" and lockout.elsewhere == "works")
        promise: Promise = "allowed" if allowed else "unknown"
        where = {"before": "", "guessed": ", after the guesses", "elsewhere": ", from elsewhere"}[self.whence]
        note = f"the right credential of {principal.name}{where}"
        away = self.whence != "elsewhere"
        return [await context.send(make_sign_in(context, lockout, principal, note, promise, away=away))]
