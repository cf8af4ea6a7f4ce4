"""Values that must not be shown: they print as their label only."""

from dataclasses import dataclass, field

__all__ = ["LIVE_KEYS", "Exposure", "Secret"]

#: How Stripe's live keys begin; Payproof takes test keys only.
LIVE_KEYS = ("sk_live_", "rk_live_", "sk_org_live_")


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
    ``where`` the place within the observation. The value itself is never held.
    """

    kind: str
    label: str
    where: str
