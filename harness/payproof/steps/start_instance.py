from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from string import ascii_letters, digits
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Observation
from payproof.domain.step import Step
from payproof.registry import nearest, step
from payproof.stripe.well_known import API_KEYS, SECRETS

__all__ = ["StartInstance"]

_MISSING, _LIVE = "missing", "live"


@step
@dataclass(frozen=True, slots=True)
class StartInstance(Step):
    """Start a second instance of the target, by the command of the target file, beside the one that runs.

    ``setting`` is what it gets otherwise than it should: the webhook's ``secret``, or Stripe's ``api_key``. ``value``
    names what that is (``payproof.stripe.well_known``), or is ``missing`` where the variable is not set at all, or
    ``live`` for an API key that looks as one of live mode does. An instance that ends by itself has refused to start;
    without a ``setting`` it must listen. It is stopped when the next one is started, and after the case.
    """

    name: ClassVar[str] = "start_instance"
    setting: Literal["", "secret", "api_key"] = ""
    value: str = ""

    def __post_init__(self) -> None:
        """Refuse a value that there is not, as soon as a scenario file is read."""
        secrets, keys = dict.fromkeys([_MISSING, *SECRETS]), dict.fromkeys([_MISSING, _LIVE, *API_KEYS])
        known: dict[str, None] = {"": {"": None}, "secret": secrets, "api_key": keys}[self.setting]
        if self.value not in known:
            raise ValueError(f"no value {self.value!r} of {self.setting or 'no setting'}; {nearest(self.value, known)}")

    async def run(self, context: Context) -> Sequence[Observation]:
        """Start it, and wait until it listens or has ended."""
        value: str | None = None
        if self.value == _LIVE:
            value = _make_live_key(context.random)
            context.canaries.conceal("secret", "made-up live key", value.encode())
        elif self.value != _MISSING and self.setting:
            value = SECRETS[self.value][0] if self.setting == "secret" else API_KEYS[self.value]
        return await context.instance.start(self.setting, self.value, value)


def _make_live_key(random: Random) -> str:
    return "sk_" + "live_" + "".join(random.choices(ascii_letters + digits, k=24))
