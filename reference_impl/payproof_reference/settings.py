"""Settings of the operator, read from `BILLING_*` variables; unsafe ones are refused."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from payproof_reference.vetting import ApiKey, ServerKey, WebhookSecret, is_live

__all__ = [
    "CredentialSettings",
    "DatabaseSettings",
    "ListedPlan",
    "MaintenanceSettings",
    "MisconfiguredError",
    "PreviousSecret",
    "Settings",
    "load_settings",
]

ENV_PREFIX = "BILLING_"
MEBIBYTE = 1024 * 1024


class MisconfiguredError(Exception):
    """The service must not start; the message is one line, names the setting and shows no value."""


class PreviousSecret(BaseModel):
    """A rolled signing secret, accepted until `valid_until` (UTC) and never after."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    secret: WebhookSecret
    valid_until: AwareDatetime


class ListedPlan(BaseModel):
    """A price that the operator offers, and its amount in the currency's smallest unit."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    amount: Annotated[int, Field(gt=0, lt=10**12)]
    currency: Annotated[str, Field(pattern=r"^[a-z]{3}$")]


class AuditSettings(BaseSettings):
    """The key of the audit log, and those that it had before, oldest first, for its check."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, hide_input_in_errors=True)

    audit_key: ServerKey
    audit_previous_keys: tuple[ServerKey, ...] = ()


class Settings(AuditSettings):
    """The configuration of one process; every field is the variable `BILLING_<FIELD>`.

    `database_url` may carry a password, so it is as secret as the signing secrets. With `migrate` the service brings a
    SQLite file to the newest schema when it starts; on PostgreSQL its role may not, and the operator does. There is no
    plain HTTP mode: certificate and key (PEM files) are required. With `stop_with_parent` the service stops when its
    standard input ends, which happens on every system when the process that started it is gone.

    With `stripe_connect_webhook_secret` there is an endpoint for Connect, at a path and under a secret of its own.

    `plans` are the prices that grant anything, by Stripe's ids; others are recorded and grant nothing. `return_url` is
    the page to which Stripe's own pages send a customer back: never a caller's choice, which would be an open redirect.
    `trusted_proxies` are the networks whose X-Forwarded-For and -Proto are believed. Metrics have a listener of their
    own, which exists only with `metrics_port`; `build` stands there. A renewed certificate is taken from its files
    within a minute, or at SIGHUP.

    One request to Stripe may take `stripe_answer_seconds`, and at most 3 if it only reads; it is repeated after
    `stripe_backoff_seconds` at most, at first. After an outage Stripe is left alone for `breaker_seconds`. An operation
    that came to nothing is tried again after `pause_seconds` at most, at first.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, hide_input_in_errors=True)

    database_url: SecretStr
    migrate: bool = False
    credential_key: ServerKey
    stripe_webhook_secret: WebhookSecret
    stripe_previous_webhook_secrets: tuple[PreviousSecret, ...] = ()
    stripe_connect_webhook_secret: WebhookSecret | None = None
    stripe_livemode: bool = False
    stripe_api_key: ApiKey
    stripe_api_base: str = "https://api.stripe.com"
    # Instead of the roots inside the SDK, which are Stripe's. That is as far as pinning goes here: Stripe replaces
    # certificates and intermediates without asking (services/stripe/sdk.py weighs it).
    stripe_ca_file: Path | None = None
    # What the SDK tells Stripe by itself: ids and times of earlier requests, and this machine's name.
    stripe_telemetry: bool = False
    stripe_account: Annotated[str, Field(pattern=r"^acct_[A-Za-z0-9]{1,250}$")] | None = None
    plans: dict[Annotated[str, Field(pattern=r"^(price|plan)_[A-Za-z0-9_]{1,250}$")], ListedPlan] = Field(
        default_factory=dict
    )
    return_url: Annotated[str, Field(pattern=r"^https://[^\s?#]+$")]
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    tls_certificate: Path
    tls_private_key: Path
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...] = ()
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    build: Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]{1,64}$")] = "unknown"
    tolerance_seconds: int = Field(default=300, ge=1, le=3600)
    max_body_bytes: int = Field(default=MEBIBYTE, ge=1)
    openapi: bool = False
    # These may be shortened, where Stripe is near and quick; longer, operations would outlive their claims.
    stripe_answer_seconds: float = Field(default=8, ge=0.5, le=8)
    stripe_backoff_seconds: float = Field(default=0.5, gt=0, le=0.5)
    breaker_seconds: float = Field(default=15, ge=1, le=300)
    pause_seconds: int = Field(default=5, ge=1, le=300)
    worker_seconds: float = Field(default=5, gt=0, le=300)
    # Stripe forgets idempotency keys after 24 hours; a repetition after that could be a second charge.
    give_up_seconds: int = Field(default=20 * 3600, ge=1, le=23 * 3600)
    stop_with_parent: bool = False

    @model_validator(mode="after")
    def require_one_mode(self) -> Self:
        """Refuse a key of the other mode, with which events would be of one world and operations of another."""
        if is_live(self.stripe_api_key) is not self.stripe_livemode:
            raise ValueError("BILLING_STRIPE_API_KEY: is of the other mode than BILLING_STRIPE_LIVEMODE says")
        return self

    @model_validator(mode="after")
    def require_secrets_apart(self) -> Self:
        """Refuse one secret for two endpoints, which it could not hold apart."""
        if self.stripe_connect_webhook_secret == self.stripe_webhook_secret:
            raise ValueError("BILLING_STRIPE_CONNECT_WEBHOOK_SECRET: is that of the other endpoint")
        return self

    @model_validator(mode="after")
    def require_probes_apart(self) -> Self:
        """Refuse a rest in which the probe before may still be under way."""
        if self.breaker_seconds < self.stripe_answer_seconds:
            raise ValueError("BILLING_BREAKER_SECONDS: must not be less than BILLING_STRIPE_ANSWER_SECONDS")
        return self


class DatabaseSettings(BaseSettings):
    """Settings of a migration: the database as the service sees it, and as the owner of its tables.

    On PostgreSQL `migration_database_url` is required, and names another role: the service owns nothing. The service
    never reads it, and its process should not have it.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, hide_input_in_errors=True)

    database_url: SecretStr
    migration_database_url: SecretStr | None = None


class MaintenanceSettings(DatabaseSettings, AuditSettings):
    """Settings of a purge or a check of the audit log."""


class CredentialSettings(MaintenanceSettings):
    """Settings of the commands that make credentials."""

    credential_key: ServerKey


AnySettings = TypeVar("AnySettings", bound=BaseSettings)


def load_settings(kind: type[AnySettings]) -> AnySettings:
    """Read settings of a kind from the environment.

    Raises:
        MisconfiguredError: a setting is missing or unsafe.
    """
    try:
        return kind()
    except ValidationError as error:
        raise MisconfiguredError(
            "; ".join(describe_error(detail) for detail in error.errors(include_input=False))
        ) from None
    except SettingsError as error:
        # Raised for a list that is not JSON; its text names the field and not the value.
        raise MisconfiguredError(" ".join(str(error).split())) from None


def describe_error(detail: Any) -> str:
    """Name the variable and what is wrong with it, from one entry of pydantic's list of errors."""
    wrong: str = detail["msg"].removeprefix("Value error, ")
    # What is wrong with several together names them itself.
    return f"{ENV_PREFIX}{str(detail['loc'][0]).upper()}: {wrong}" if detail["loc"] else wrong
