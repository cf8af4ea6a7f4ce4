"""Checks of secrets before the service trusts them: long, random, and of the right kind."""

import re
from typing import Annotated

from pydantic import AfterValidator, SecretStr

__all__ = [
    "LOOPBACK",
    "ApiKey",
    "ServerKey",
    "WebhookSecret",
    "is_live",
    "vet_api_key",
    "vet_key",
    "vet_secret",
]

# Names of this machine: what is sent there leaves no machine.
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# Stripe's endpoint secrets have 32 random characters after the prefix, those of its command line 64.
SECRET_SHAPE = re.compile(r"whsec_[!-~]{24,}")
# 32 random bytes in base64 or hexadecimal.
SERVER_KEY_SHAPE = re.compile(r"[!-~]{43,}")
API_KEY_SHAPE = re.compile(r"(sk|rk|pk)_(live|test)_")
SECRET_API_KEY_SHAPE = re.compile(r"(sk|rk)_(live|test)_[A-Za-z0-9_]{8,}")
# Words that documentation and templates use. A random secret meets the shortest of them less than once in a billion.
PLACEHOLDERS = ("change_me", "changeme", "example", "placeholder", "replace", "secret", "undefined", "your_")
# "whsec_xxxxxxxx..." and "whsec_1234...": 24 random characters practically never have fewer distinct ones.
FEWEST_DISTINCT_CHARACTERS = 8


def vet_secret(secret: SecretStr) -> SecretStr:
    """Return a webhook signing secret that nobody can guess.

    Raises:
        ValueError: it is empty, blank, a placeholder, too short, or a key of another kind. With an empty or known
            secret everybody can sign (GHSA-xff3-5c9p-2mr4). The text never holds the secret.
    """
    text = secret.get_secret_value()
    if API_KEY_SHAPE.search(text):
        raise ValueError("is an API key, not the signing secret of a webhook endpoint")
    if not SECRET_SHAPE.fullmatch(text):
        raise ValueError("must be whsec_ and at least 24 visible ASCII characters")
    random_part = text.removeprefix("whsec_")
    if any(word in random_part.lower() for word in PLACEHOLDERS):
        raise ValueError("is a placeholder")
    if len(set(random_part)) < FEWEST_DISTINCT_CHARACTERS:
        raise ValueError("is too uniform to be random")
    return secret


def vet_key(key: SecretStr) -> SecretStr:
    """Return a key of this service that nobody can guess, such as `openssl rand -base64 32` makes.

    Raises:
        ValueError: it is too short for 256 bits in base64, a placeholder, or a secret of another kind. Whoever knows
            it can forge what it protects. The text never holds the key.
    """
    text = key.get_secret_value()
    if API_KEY_SHAPE.search(text) or "whsec_" in text:
        raise ValueError("is a secret of Stripe's; this needs a key of its own")
    if not SERVER_KEY_SHAPE.fullmatch(text):
        raise ValueError("must be at least 43 visible ASCII characters")
    if any(word in text.lower() for word in PLACEHOLDERS):
        raise ValueError("is a placeholder")
    if len(set(text)) < FEWEST_DISTINCT_CHARACTERS:
        raise ValueError("is too uniform to be random")
    return key


def vet_api_key(key: SecretStr) -> SecretStr:
    """Return a secret or restricted key of Stripe's.

    Raises:
        ValueError: it is a publishable key, another secret, or no key. The text never holds it.
    """
    if not SECRET_API_KEY_SHAPE.fullmatch(key.get_secret_value()):
        raise ValueError("must be a secret key of Stripe's, or better a restricted one")
    return key


def is_live(key: SecretStr) -> bool:
    """Tell whether a key of Stripe's moves real money."""
    return "_live_" in key.get_secret_value()


ApiKey = Annotated[SecretStr, AfterValidator(vet_api_key)]
ServerKey = Annotated[SecretStr, AfterValidator(vet_key)]
WebhookSecret = Annotated[SecretStr, AfterValidator(vet_secret)]
