"""Reads secrets from the variables that the user names."""

import os

from payproof.domain.sensitive import LIVE_KEYS, Secret, other_than_signing_secret
from payproof.errors import ConfigurationError

__all__ = ["read_api_key", "read_signing_secret"]


def read_signing_secret(variable: str) -> Secret:
    """Return the secret that an environment variable holds.

    Raises:
        ConfigurationError: there is no such variable, or it holds a key or another thing than a signing secret.
    """
    value = _require_variable(variable, "it must hold the secret")
    hint = "give the endpoint's signing secret (whsec_...)"
    if value.startswith(LIVE_KEYS):
        raise ConfigurationError(f"{variable} holds a live Stripe key", hint=hint)
    if other := other_than_signing_secret(value.strip()):
        raise ConfigurationError(f"{variable} holds {other}", hint=hint)
    return Secret("webhook secret", value)


def read_api_key(variable: str) -> Secret:
    """Return the API key that an environment variable holds; whether it is one of the test mode, its user looks.

    Raises:
        ConfigurationError: there is no such variable.
    """
    return Secret(
        variable, _require_variable(variable, "it must hold a key of Stripe's test mode (sk_test_...)").strip()
    )


def _require_variable(variable: str, hint: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise ConfigurationError(f"the environment variable {variable} is not set", hint=hint)
    return value
