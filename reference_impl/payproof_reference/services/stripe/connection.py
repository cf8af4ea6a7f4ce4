"""The way to Stripe: the SDK's client, opened at the first call, and one attempt with it."""

import os
import ssl
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError

from payproof_reference.services.stripe.calls import CALLS_AT_ONCE, Caller
from payproof_reference.services.stripe.errors import AttemptFailedError, Failure, FailureKind
from payproof_reference.services.stripe.port import check_key
from payproof_reference.settings import MisconfiguredError
from payproof_reference.vetting import LOOPBACK

if TYPE_CHECKING:
    from stripe import RequestOptions, StripeClient, StripeObject

__all__ = ["Connection"]

Model = TypeVar("Model", bound=BaseModel)


class Connection:
    """Sends requests to one Stripe account; safe for many threads.

    Args:
        api_key: a secret key or, better, a restricted one that may do what the port does and nothing else.
        caller: executes the calls.
        api_base: where Stripe is: an https URL, or an http one of this machine.
        ca_file: a PEM file of the only roots to trust; by default the SDK's, which are Stripe's.
        telemetry: whether the SDK tells Stripe of earlier requests and of this machine.

    Raises:
        MisconfiguredError: the address, the file or the environment is unsafe.
    """

    def __init__(
        self,
        api_key: SecretStr,
        caller: Caller,
        *,
        api_base: str,
        ca_file: Path | None = None,
        telemetry: bool = False,
    ) -> None:
        self.caller = caller
        self._telemetry = telemetry
        self._api_key = api_key
        self._api_base = check_base(api_base)
        self._ca_file = check_file(ca_file)
        if os.environ.get("STRIPE_LOG"):
            raise MisconfiguredError("STRIPE_LOG: must not be set, the SDK would print whole requests and answers")

    def read(self, operation: str, model: type[Model], request: Callable[["StripeClient"], "StripeObject"]) -> Model:
        """Fetch an object.

        Raises:
            BillingError: it could not be had.
        """
        return self.caller.call(operation, self.caller.policies.reads, lambda: self.attempt(model, request))

    def write(
        self,
        operation: str,
        model: type[Model],
        key: str,
        request: Callable[["StripeClient", "RequestOptions"], "StripeObject"],
    ) -> Model:
        """Change something, under the same idempotency key in every attempt.

        Raises:
            BillingError: it was refused, or nobody knows whether it was done.
            ValueError: the key is none.
        """
        options: RequestOptions = {"idempotency_key": check_key(key)}
        return self.caller.call(
            operation,
            self.caller.policies.writes,
            lambda: self.attempt(model, lambda client: request(client, options)),
        )

    def attempt(self, model: type[Model], request: Callable[["StripeClient"], "StripeObject"]) -> Model | Failure:
        """Send one request, and reduce the object in its answer to the fields of the model."""
        try:
            return model.model_validate(request(self._client).to_dict())
        except AttemptFailedError as error:
            return error.failure
        except (ValidationError, ArithmeticError):  # the SDK makes a Decimal of some texts, and fails on others
            return Failure(FailureKind.UNEXPECTED_OBJECT, reason=model.__name__)

    def close(self) -> None:
        """Close the connections to Stripe."""
        if "_client" in self.__dict__:
            self._transport.close()

    @cached_property
    def _client(self) -> "StripeClient":
        # Here, because the SDK costs 0.3 s and 10 MB, which a service that only takes webhooks never pays.
        from payproof_reference.services.stripe import sdk  # noqa: PLC0415

        self._transport = sdk.Transport(
            sdk.build_http_client(self._ca_file, connections=CALLS_AT_ONCE), self.caller.policies
        )
        key = self._api_key.get_secret_value()
        return sdk.build_client(key, self._api_base, self._transport, telemetry=self._telemetry)


def check_base(address: str) -> str:
    """Return an address to which a secret key may be sent.

    Raises:
        MisconfiguredError: plain HTTP would leave this machine (PCI DSS 4.2.1), or it is no plain base address.
    """
    parts = urlsplit(address)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not safe or not parts.hostname or parts.username or parts.path.strip("/") or parts.query or parts.fragment:
        raise MisconfiguredError("BILLING_STRIPE_API_BASE: must be an address as in https://api.stripe.com")
    return address.rstrip("/")


def check_file(file: Path | None) -> Path | None:
    """Return a file of certificates.

    Raises:
        MisconfiguredError: it cannot be read, or holds none.
    """
    if file is not None:
        try:
            ssl.create_default_context(cafile=file)
        except OSError:  # ssl.SSLError is one
            raise MisconfiguredError("BILLING_STRIPE_CA_FILE: must be a readable PEM file of certificates") from None
    return file
