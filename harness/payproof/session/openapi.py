"""Asks the target for its OpenAPI document."""

from dataclasses import replace

from payproof.adapters.http import HttpSender
from payproof.canary import Ledger
from payproof.domain.observation import NoAnswer
from payproof.domain.operation_requests import credential_headers
from payproof.domain.request import Request
from payproof.domain.target import Budget, OpenApi, Target
from payproof.errors import ConfigurationError
from payproof.language import read_openapi

__all__ = ["add_openapi"]

# Whoever answers may make a document of the costliest kind: JSON then takes 35 times as much memory, YAML 180 times and
# 10 seconds for a megabyte.
_MOST_BYTES = 8 * 1024 * 1024
_MOST_YAML_BYTES = 1024 * 1024


async def add_openapi(target: Target, ledger: Ledger) -> Target:
    """Return the target with what its OpenAPI document says; it is asked for as the first principal.

    Raises:
        ConfigurationError: it cannot be had, or cannot be used.
    """
    openapi = target.openapi
    if openapi is None or openapi.document is not None:
        return target
    url = target.url + openapi.place
    budget = Budget(answer_bytes=_MOST_BYTES, evidence_characters=_MOST_BYTES)
    sender = HttpSender(replace(target, budget=budget), ledger)
    headers = ((b"Accept", b"application/json, application/yaml;q=0.9"), *credential_headers(target.first_principal))
    try:
        exchange = await sender.send(Request("GET", openapi.place, headers, b"", "the OpenAPI document"), 0)
    finally:
        await sender.close()
    answer = exchange.answer
    if isinstance(answer, NoAnswer) or answer.status != 200:  # noqa: PLR2004
        seen = answer.detail if isinstance(answer, NoAnswer) else f"status {answer.status}"
        hint = "see 'openapi' in the target file, which may name a file as well"
        raise ConfigurationError(f"no OpenAPI document at {url}: {seen}", hint=hint)
    document = read_openapi(answer.body.encode(), url, yaml_bytes=_MOST_YAML_BYTES)
    return replace(target, openapi=OpenApi(openapi.place, document))
