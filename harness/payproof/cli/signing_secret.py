"""Reads the signing secret of an endpoint from the variable that the user names."""

import os

from payproof.domain.sensitive import LIVE_KEYS, Secret, other_than_signing_secret
from payproof.errors import ConfigurationError

__all__ = ["read_signing_secret"]


def read_signing_secret(variable: str) -> Secret:
    """Return the secret that an environment variable holds.

    Raises:
        ConfigurationError: there is no such variable, or it holds a key or another thing than a signing secret.
    """
    value = os.environ.get(variable, "")
    if not value:
        raise ConfigurationError(f"the environment variable {variable} is not set", hint="it must hold the secret")
    hint = "give the endpoint's signing secret (whsec_...)"
    if value.startswith(LIVE_KEYS):
        raise ConfigurationError(f"{variable} holds a live Stripe key", hint=hint)
    if other := other_than_signing_secret(value.strip()):
        raise ConfigurationError(f"{variable} holds {other}", hint=hint)
    return Secret("webhook secret", value)
