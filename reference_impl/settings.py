"""What the operator decides, read from `BILLING_*` variables and refused where it would be unsafe."""

import re
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

__all__ = [
    "DatabaseSettings",
    "MaintenanceSettings",
    "MisconfiguredError",
    "PreviousSecret",
    "Settings",
    "load_settings",
    "vetted_key",
    "vetted_secret",
]

ENV_PREFIX = "BILLING_"
MEBIBYTE = 1024 * 1024

# Stripe's endpoint secrets have 32 random characters after the prefix, those of its command line 64.
SECRET_SHAPE = re.compile(r"whsec_[!-~]{24,}")
# 32 random bytes in base64 or hexadecimal.
AUDIT_KEY_SHAPE = re.compile(r"[!-~]{43,}")
API_KEY_SHAPE = re.compile(r"(sk|rk|pk)_(live|test)_")
# Words that documentation and templates use. A random secret meets the shortest of them less than once in a billion.
PLACEHOLDERS = ("change_me", "changeme", "example", "placeholder", "replace", "secret", "undefined", "your_")
# "whsec_xxxxxxxx..." and "whsec_1234...": 24 random characters practically never have fewer distinct ones.
FEWEST_DISTINCT_CHARACTERS = 8


class MisconfiguredError(Exception):
    """The service must not start; the message is one line, names the setting and shows no value."""


def vetted_secret(secret: SecretStr) -> SecretStr:
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


def vetted_key(key: SecretStr) -> SecretStr:
    """Return a key for the audit log that nobody can guess, such as `openssl rand -base64 32` makes.

    Raises:
        ValueError: it is too short for 256 bits in base64, a placeholder, or a secret of another kind. Whoever knows
            the key can forge the log. The text never holds the key.
    """
    text = key.get_secret_value()
    if API_KEY_SHAPE.search(text) or "whsec_" in text:
        raise ValueError("is a secret of Stripe's; the audit log needs a key of its own")
    if not AUDIT_KEY_SHAPE.fullmatch(text):
        raise ValueError("must be at least 43 visible ASCII characters")
    if any(word in text.lower() for word in PLACEHOLDERS):
        raise ValueError("is a placeholder")
    if len(set(text)) < FEWEST_DISTINCT_CHARACTERS:
        raise ValueError("is too uniform to be random")
    return key


WebhookSecret = Annotated[SecretStr, AfterValidator(vetted_secret)]
AuditKey = Annotated[SecretStr, AfterValidator(vetted_key)]


class PreviousSecret(BaseModel):
    """A rolled signing secret, accepted until `valid_until` (UTC) and never after."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    secret: WebhookSecret
    valid_until: AwareDatetime


class Settings(BaseSettings):
    """The configuration of one process; every field is the variable `BILLING_<FIELD>`.

    `database_url` may carry a password, so it is as secret as the signing secrets. With `migrate` the service brings a
    SQLite file to the newest schema when it starts; on PostgreSQL its role may not, and the operator does. There is no
    plain HTTP mode: certificate and key (PEM files) are required. With `stop_with_parent` the service stops when its
    standard input ends, which happens on every system when the process that started it is gone.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, hide_input_in_errors=True)

    database_url: SecretStr
    migrate: bool = False
    audit_key: AuditKey
    stripe_webhook_secret: WebhookSecret
    stripe_previous_webhook_secrets: tuple[PreviousSecret, ...] = ()
    stripe_livemode: bool = False
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    tls_certificate: Path
    tls_private_key: Path
    tolerance_seconds: int = Field(default=300, ge=1, le=3600)
    max_body_bytes: int = Field(default=MEBIBYTE, ge=1)
    openapi: bool = False
    stop_with_parent: bool = False


class DatabaseSettings(BaseSettings):
    """What a migration needs: the database as the service sees it, and as the owner of its tables.

    On PostgreSQL `migration_database_url` is required, and names another role: the service owns nothing. The service
    never reads it, and its process should not have it.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, hide_input_in_errors=True)

    database_url: SecretStr
    migration_database_url: SecretStr | None = None


class MaintenanceSettings(DatabaseSettings):
    """What a purge or a check of the audit log needs besides."""

    audit_key: AuditKey


AnySettings = TypeVar("AnySettings", bound=BaseSettings)


def load_settings(kind: type[AnySettings]) -> AnySettings:
    """Read settings of a kind from the environment.

    Raises:
        MisconfiguredError: a setting is missing or unsafe.
    """
    try:
        return kind()
    except ValidationError as error:
        raise MisconfiguredError("; ".join(described(detail) for detail in error.errors(include_input=False))) from None
    except SettingsError as error:
        # Raised for a list that is not JSON; its text names the field and not the value.
        raise MisconfiguredError(" ".join(str(error).split())) from None


def described(detail: Any) -> str:
    """Name the variable and what is wrong with it, from one entry of pydantic's list of errors."""
    variable = ENV_PREFIX + str(detail["loc"][0]).upper()
    return f"{variable}: {detail['msg'].removeprefix('Value error, ')}"
