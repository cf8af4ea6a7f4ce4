"""Every error that Stripe documents, as it looks on the wire, with a canary in each field that tells something."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from random import Random
from typing import Any

from payproof.errors import ConfigurationError
from payproof.stripe.events import made_up_words
from payproof.stripe.placeholders import Filling
from payproof.stripe.templates import Templates, nearest
from payproof.stripe.upstream.faults import Fault, Moment, Written

__all__ = ["KIND", "DocumentedError", "Errors"]

#: What the run's ledger calls a canary of an error.
KIND = "Stripe error"

_DECLINED = "card_declined"


@dataclass(frozen=True, slots=True)
class DocumentedError:
    """One error of Stripe's: ``name`` is its code, ``card_declined.<decline code>``, or the name of a bare status."""

    name: str
    status: int
    type: str
    code: str | None = None
    decline_code: str | None = None


class Errors:
    """The errors of ``fixtures/api/errors.json``, by name, with objects in the shape of an API version.

    Raises:
        ConfigurationError: no such API version.
    """

    def __init__(self, fixtures: Traversable, *, api_version: str) -> None:
        listed = json.loads(fixtures.joinpath("api", "errors.json").read_text("utf-8"))
        self._known = {error.name: error for error in _errors(listed)}
        self._templates = Templates(fixtures.joinpath("events"))
        self._api_version = self._templates.shape(api_version)

    def __iter__(self) -> Iterator[DocumentedError]:
        """Yield every error."""
        return iter(self._known.values())

    def __getitem__(self, name: str) -> DocumentedError:
        """Return an error; raises ConfigurationError, with the nearest name, where there is none."""
        try:
            return self._known[name]
        except KeyError:
            hint = nearest(name, self._known)
            raise ConfigurationError(f"Stripe documents no error {name!r}", hint=hint) from None

    def fault(
        self,
        name: str,
        random: Random,
        conceal: Callable[[str, str, bytes], None],
        *,
        moment: Moment = Moment.BEFORE,
        retry_after: int | None = None,
        should_retry: bool | None = None,
    ) -> Fault:
        """Return the fault in which a call is answered an error; ``retry_after`` is in seconds.

        Type, code and decline code are Stripe's, so that the target can act on them. Every other field is a canary or
        holds some, the objects of a failed payment too; ``conceal`` hears of each by kind, label and value.

        Raises:
            ConfigurationError: no such error.
        """
        error, canary = self[name], _CanaryMaker(random, conceal)
        told: dict[str, Any] = {
            "advice_code": canary("advice_code"),
            "charge": canary("charge", "ch_{}"),
            "decline_code": error.decline_code or canary("decline_code"),
            "doc_url": canary("doc_url", "https://docs.stripe.com/error-codes/{}"),
            "message": canary("message", "Canary {} says Stripe."),
            "network_advice_code": canary("network_advice_code"),
            "network_decline_code": canary("network_decline_code"),
            "param": canary("param", "param_{}"),
            "payment_intent": self._object("payment_intent", "pi", canary),
            "payment_method": self._object("payment_method", "pm", canary),
            "payment_method_type": canary("payment_method_type"),
            "request_log_url": canary("request_log_url", "https://dashboard.stripe.com/test/logs/req_{}"),
            "type": error.type,
        }
        if error.code is not None:
            told["code"] = error.code
        headers = [("Request-Id", canary("Request-Id", "req_{}"))]
        if retry_after is not None:
            headers.append(("Retry-After", str(retry_after)))
        if should_retry is not None:
            headers.append(("Stripe-Should-Retry", "true" if should_retry else "false"))
        return Fault(name, moment, Written(error.status, told, headers=tuple(headers)))

    def _object(self, kind: str, prefix: str, canary: "_CanaryMaker") -> Any:
        own = canary(f"{kind} id", prefix + "_{}")
        filling = Filling(
            own, faker=made_up_words, now=0, canaries=canary.personal(kind), livemode=False, pinned={prefix: own}
        )
        return filling.fill(self._templates.object(kind, self._api_version))


def _errors(listed: Mapping[str, Any]) -> Iterator[DocumentedError]:
    for name, known in listed["statuses"].items():
        yield DocumentedError(name, known["status"], known["type"])
    for code, known in listed["codes"].items():
        yield DocumentedError(code, known["status"], known["type"], code)
    declined = listed["codes"][_DECLINED]
    for decline in listed["decline_codes"]:
        yield DocumentedError(f"{_DECLINED}.{decline}", declined["status"], declined["type"], _DECLINED, decline)


class _CanaryMaker:
    """Makes canaries, each unlike anything else."""

    def __init__(self, random: Random, conceal: Callable[[str, str, bytes], None]) -> None:
        self._random, self._conceal = random, conceal

    def __call__(self, label: str, form: str = "{}") -> str:
        """Make one for a place; what is around it, as in a URL, is no part of it."""
        core = f"{self._random.getrandbits(64):016x}"
        self._conceal(KIND, label, core.encode())
        return form.format(core)

    def personal(self, within: str) -> dict[str, str]:
        """Make those for the personal data and the secret of an object."""
        forms = {
            "address": "{} Street",
            "client_secret": "pi_{}_secret",
            "description": "Canary {}",
            "email": "{}@example.com",
            "metadata": "{}",
            "name": "Canary {}",
            "phone": "+1555{}",
        }
        return {name: self(f"{within} {name}", form) for name, form in forms.items()}
