"""Values that must not be shown: they print as their label only."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["LIVE_KEYS", "PERSONAL", "Exposure", "Secret", "other_than_api_key", "other_than_signing_secret"]

#: How Stripe's live keys begin; Payproof takes test keys only.
LIVE_KEYS = ("sk_live_", "rk_live_", "sk_org_live_")

#: The kinds of an event's values that say something of a person, and that a target may have its reasons to keep.
PERSONAL = frozenset({"address", "description", "email", "metadata", "name", "phone"})

_KEYS = {
    "sk_": "a secret key of Stripe's API",
    "rk_": "a restricted key of Stripe's API",
    "pk_": "a publishable key of Stripe's API",
    "ek_": "an ephemeral key of Stripe's API",
}
_SIGNING = "whsec_"
_ENDPOINT = {"we_": "the id of a webhook endpoint", "ed_": "the id of an event destination"}
#: An object's id: a short prefix and at least 14 letters and digits, which nobody takes for a secret.
_ID = re.compile(r"(?:acct|ch|cs|cus|evt|in|pi|pm|price|prod|req|seti|sub)_(?:test_|live_)?[A-Za-z0-9]{14,}")
_PLACEHOLDER = re.compile(r"\.\.\.|…|<.*>|(?:^|_)YOUR_")


def other_than_signing_secret(value: str) -> str | None:
    """Return what a text is that is certainly no signing secret of a webhook endpoint, or None.

    Stripe hands such secrets out with ``whsec_``. One without any prefix may be of a simulator's, and is let through.
    """
    return _other(value, {**_KEYS, **_ENDPOINT})


def other_than_api_key(value: str) -> str | None:
    """Return what a text is that is certainly no secret or restricted key of Stripe's API, or None."""
    return _other(
        value, {_SIGNING: "a webhook's signing secret", "pk_": _KEYS["pk_"], "ek_": _KEYS["ek_"], **_ENDPOINT}
    )


def _other(value: str, others: Mapping[str, str]) -> str | None:
    for prefix, what in others.items():
        if value.startswith(prefix):
            return what
    if _ID.fullmatch(value):
        return f"the id of an object at Stripe ({value.partition('_')[0]}_...)"
    return "a placeholder" if _PLACEHOLDER.search(value) else None


@dataclass(frozen=True, slots=True)
class Secret:
    """A configured secret of the target; its text leaves only through ``reveal``, to sign, to log in and to match."""

    label: str
    _value: str = field(repr=False)

    def reveal(self) -> str:
        """Return the secret's text."""
        return self._value

    def __str__(self) -> str:
        return f"<{self.label}>"


@dataclass(frozen=True, slots=True)
class Exposure:
    """One place where a sensitive value of this run was seen.

    ``kind`` is the sort of value (``secret``, ``signature``, ``name``, ``metadata``, ...), ``label`` says which one,
    ``where`` the place within the observation, and within a store its ``table`` and ``column``; of a log ``line`` is
    the place in what was observed of it, from 0. The value itself is never held.
    """

    kind: str
    label: str
    where: str
    table: str = ""
    column: str = ""
    line: int | None = None
