"""The tables of a target file that tell of its operations: ``[upstream]``, ``[principals]`` and ``[operations]``."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from payproof.domain.operation import OPERATIONS, Operation, Price, Principal, UpstreamSpec
from payproof.domain.sensitive import Secret
from payproof.language.file_model import FileModel
from payproof.registry import nearest

__all__ = [
    "OperationTable",
    "PrincipalTable",
    "Problem",
    "UpstreamTable",
    "check_operations",
    "check_request",
    "operation",
    "principal",
    "upstream",
]

_BACKENDS = ("double", "stripe-mock", "stripe")
_REQUEST = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/[!-~]*)")
_NAME = re.compile(r"\{([a-z_]+)\}")

#: Where something is wrong, what, and what would be right.
Problem = tuple[Sequence[str | int], str, str]


def _listening(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or parts.hostname not in {"127.0.0.1", "localhost"} or parts.port is None:
        raise ValueError("where to listen on this machine, such as http://127.0.0.1:12111")
    if parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("only scheme, 127.0.0.1 and port")
    return url.rstrip("/")


def _backend(backend: str) -> str:
    if backend not in _BACKENDS and urlsplit(backend).scheme not in {"http", "https"}:
        raise ValueError(f"{', '.join(_BACKENDS)}, or the URL of another server that answers for Stripe")
    return backend


def check_request(request: str) -> str:
    """Return a method and a path as they are.

    Raises:
        ValueError: they are none.
    """
    if not _REQUEST.fullmatch(request):
        raise ValueError("a method and a path, such as POST /customers")
    return request


def _calls(calls: str) -> str:
    if not _REQUEST.fullmatch(calls) or "{" in calls or not calls.partition(" ")[2].startswith("/v"):
        raise ValueError("a method and a path of Stripe's API, with * for ids, such as POST /v1/subscriptions/*")
    return calls


class _PriceTable(FileModel):
    """A price that the double is to know by its id; the amount is in the currency's smallest unit."""

    amount: int = Field(gt=0)
    currency: str = Field("usd", pattern="^[a-z]{3}$")
    recurring: bool = Field(default=True, description="paid each month, not once")


class UpstreamTable(FileModel):
    """The Stripe API as the target sees it: listens, records the target's calls, lets faults strike."""

    url: Annotated[str, AfterValidator(_listening)] = Field(description="the target's base of Stripe's API")
    backend: Annotated[str, AfterValidator(_backend)] = Field(
        "double", description="double, stripe-mock, stripe (its test mode), or a URL"
    )
    key_env: str | None = Field(None, description="variable that holds a key of Stripe's test mode, for that backend")
    folder: str | None = Field(None, description="where an HTTPS upstream keeps its authority, ca.pem, between runs")
    card: str | None = Field("pm_card_visa", description="the test card that the double gives each customer")
    prices: dict[str, _PriceTable] = Field({}, description="prices that the double knows, by id")


class PrincipalTable(FileModel):
    """Who asks for an operation. The credential is named by a variable, never written here."""

    credential_env: str = Field(description="variable that holds the token")
    header: str = Field("Authorization", pattern=r"^[A-Za-z0-9-]+$")
    scheme: str = Field("Bearer", pattern=r"^[A-Za-z0-9-]*$", description="what stands before it; may be empty")


class OperationTable(FileModel):
    """A route of the target and the call to Stripe that it causes; {name} stands for what an earlier one kept."""

    request: Annotated[str, AfterValidator(check_request)] = Field(description="such as POST /subscriptions")
    calls: Annotated[str, AfterValidator(_calls)] = Field(description="such as POST /v1/subscriptions")
    as_: str | None = Field(None, alias="as", description="one of the principals")
    body: dict[str, Any] | None = Field(None, description="sent as JSON")
    after: tuple[str, ...] = Field((), strict=False, description="operations to be performed before")
    keep: dict[str, str] = Field({}, description="name = place in the answer's JSON, such as data.0.id")


def check_operations(
    operations: Mapping[str, OperationTable], principals: Mapping[str, PrincipalTable], upstream: UpstreamTable | None
) -> Iterator[Problem]:
    """Yield what does not fit together."""
    if operations and upstream is None:
        yield ["operations"], "operations without an [upstream] to see what they ask of Stripe", "add [upstream]"
    if upstream is not None and (upstream.backend == "stripe") != (upstream.key_env is not None):
        yield ["upstream"], "'key_env' belongs to backend = \"stripe\"", "give both or neither"
    for name in operations:
        yield from _problems(name, operations, principals)


def _problems(
    name: str, operations: Mapping[str, OperationTable], principals: Mapping[str, PrincipalTable]
) -> Iterator[Problem]:
    one, place = operations[name], ["operations", name]
    if name not in OPERATIONS:
        yield place, f"unknown operation {name!r}", nearest(name, OPERATIONS)
    if one.as_ is not None and one.as_ not in principals:
        yield [*place, "as"], f"unknown principal {one.as_!r}", nearest(one.as_, principals)
    misspelt = [other for other in operations if other not in OPERATIONS]
    for earlier in one.after:
        if earlier not in operations and not (earlier in OPERATIONS and get_close_matches(earlier, misspelt)):
            yield [*place, "after"], f"there is no operation {earlier!r}", nearest(earlier, operations)
    before = _earlier(name, operations)
    if name in before:
        yield [*place, "after"], f"operation {name!r} comes after itself", "leave it out"
    if name in before or not operations.keys() >= {*before}:
        return  # what is kept by then is not known
    kept = {key: value for earlier in before for key, value in operations[earlier].keep.items()}
    for wanted in _NAME.findall(f"{one.request} {one.body}"):
        if wanted not in kept:
            problem = f"operation {name!r} wants {{{wanted}}}, which none of those before it keeps"
            yield place, problem, nearest(wanted, kept) if kept else "see 'after' and 'keep'"


def _earlier(name: str, operations: Mapping[str, OperationTable]) -> list[str]:
    """Return the names of all that comes before an operation, itself too where it comes after itself."""
    found: list[str] = []
    left = list(operations[name].after)
    while left:
        one = left.pop()
        if one not in found:
            found.append(one)
            left += operations[one].after if one in operations else ()
    return found


def principal(name: str, table: PrincipalTable, credential: Secret) -> Principal:
    """Return the domain's principal."""
    return table.mean(Principal, name=name, credential=credential)


def operation(name: str, table: OperationTable, principals: Mapping[str, Principal]) -> Operation:
    """Return the domain's operation."""
    method, _, path = table.request.partition(" ")
    asked_by = None if table.as_ is None else principals[table.as_]
    return table.mean(Operation, name=name, method=method, path=path, principal=asked_by)


def upstream(table: UpstreamTable, *, key: Secret | None, beside: Path) -> UpstreamSpec:
    """Return the domain's description; the folder is relative to the target file."""
    return table.mean(
        UpstreamSpec,
        key=key,
        folder=None if table.folder is None else str(beside / table.folder),
        prices={name: one.mean(Price) for name, one in table.prices.items()},
    )
