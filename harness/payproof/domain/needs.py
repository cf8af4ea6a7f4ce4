"""What a scenario may need of a target file: each need once, with its test and its words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from payproof.domain.access import find_right
from payproof.domain.operation import KINDS, OPERATIONS
from payproof.domain.target import ProcessSpec, Target

__all__ = ["NEEDS", "Need"]


@dataclass(frozen=True, slots=True)
class Need:
    """Something that a target file may or may not offer.

    Where it does not, ``missing`` is the line for a reader, and ``want`` names the table or key that would offer it.
    """

    missing: str
    is_offered: Callable[[Target], bool]
    want: Callable[[Target], str]


def _want(name: str) -> Callable[[Target], str]:
    """Return the name of a table or key, whatever else the target file says."""
    return lambda _: name


def _want_of_process(key: str) -> Callable[[Target], str]:
    """Return the name of a key of [process] or, where it does not start an instance, that of the table."""
    return lambda target: "[process]" if _start_of(target) is None else f"[process] {key}"


def _want_https(target: Target) -> str:
    return "[upstream]" if target.upstream is None else "[upstream] url"


def _want_rows(target: Target) -> str:
    return "[retention]" if target.retention is None else "[[retention.rows]]"


def _need_rows(*planted: str) -> Callable[[Target], bool]:
    """Return whether a target has rows that are planted in one of some ways."""
    return lambda target: any(rows.planted in planted for rows in target.contract.kept_rows)


def _need_operation(name: str) -> Callable[[Target], bool]:
    """Return whether a target has an operation, by its name or its kind."""
    return lambda target: target.operation(name) is not None


def _start_of(target: Target) -> ProcessSpec | None:
    """Return how a second instance of a target is started, if it can be."""
    return target.process if target.process is not None and target.process.start else None


def _want_principals(key: str) -> Callable[[Target], str]:
    """Return the name of a key of [principals] or, where there are no operations to have rights on, of those."""
    return lambda target: f"[principals] {key}" if target.operations else "[operations]"


def _has_lower(target: Target) -> bool:
    """Whether somebody may not do an operation."""
    return any(
        find_right(one, operation) is False
        for one in target.principals.values()
        if not one.expired
        for operation in target.operations.values()
    )


def _has_other_tenant(target: Target) -> bool:
    """Whether somebody may do an operation that is asked for as somebody of another tenant."""
    return any(
        operation.principal is not None
        and one.tenant
        and operation.principal.tenant
        and one.tenant != operation.principal.tenant
        and find_right(one, operation)
        for one in target.principals.values()
        for operation in target.operations.values()
    )


#: Every need by the name that scenarios call it.
NEEDS: Mapping[str, Need] = {
    "api_key": Need(
        "the target file names no api_key_env", lambda target: target.api_key is not None, _want("api_key_env")
    ),
    "breaker": Need(
        "the target file says nothing of breaker_after in [contract.operations]",
        lambda target: target.contract.operations.breaker_after is not None,
        _want("[contract.operations] breaker_after"),
    ),
    "double": Need(
        "the backend of [upstream] is not the built-in double",
        lambda target: target.upstream is not None and target.upstream.backend == "double",
        _want("[upstream]"),
    ),
    "endpoints": Need(
        "the target file names no further [endpoints]", lambda target: bool(target.endpoints), _want("[endpoints]")
    ),
    "entitlement": Need(
        "the target file says nothing in [entitlements]",
        lambda target: bool(target.entitlements),
        _want("[entitlements]"),
    ),
    "error_reference": Need(
        "the target file says nothing of reference in [contract.operations]",
        lambda target: target.contract.operations.reference is not None,
        _want("[contract.operations] reference"),
    ),
    "expired_principal": Need(
        "the target file names no principal who is expired",
        lambda target: any(one.expired for one in target.principals.values()),
        _want_principals("expired"),
    ),
    "file": Need("the target file lists no files", lambda target: bool(target.files), _want("[[files]]")),
    "guarded": Need(
        "the target file has no operation with 'as', which says who may ask for it",
        lambda target: any(one.principal is not None for one in target.operations.values()),
        lambda target: "[principals]" if target.operations else "[operations]",
    ),
    "https_upstream": Need(
        "the url of [upstream] in the target file is none by HTTPS",
        lambda target: target.upstream is not None and target.upstream.url.startswith("https:"),
        _want_https,
    ),
    "lockout": Need(
        "the target file says nothing in [contract.lockout]",
        lambda target: target.contract.lockout is not None,
        _want("[contract.lockout]"),
    ),
    "log": Need("the target file lists no log", lambda target: bool(target.logs), _want("[[logs]]")),
    "lower_principal": Need(
        "the target file names no principal who may not do an operation (may)",
        _has_lower,
        _want_principals("may"),
    ),
    "openapi": Need("the target file names no openapi", lambda target: target.openapi is not None, _want("openapi")),
    "operations": Need(
        "the target file has no [operations]", lambda target: bool(target.operations), _want("[operations]")
    ),
    "other_tenant": Need(
        "the target file names no principal of another tenant who may do an operation (tenant, may)",
        _has_other_tenant,
        _want_principals("tenant"),
    ),
    "previous_secret": Need(
        "the target file names no previous_secret_env",
        lambda target: target.webhook.previous_secret is not None,
        _want("[webhook] previous_secret_env"),
    ),
    "process": Need(
        "the target file names no start in [process]", lambda target: _start_of(target) is not None, _want("[process]")
    ),
    "process_api_key": Need(
        "the target file names no api_key_variable in [process]",
        lambda target: (process := _start_of(target)) is not None and bool(process.api_key_variable),
        _want_of_process("api_key_variable"),
    ),
    "process_secret": Need(
        "the target file names no secret_variable in [process]",
        lambda target: (process := _start_of(target)) is not None and bool(process.secret_variable),
        _want_of_process("secret_variable"),
    ),
    "publishable_key": Need(
        "the target file names no publishable_key",
        lambda target: target.publishable_key is not None,
        _want("publishable_key"),
    ),
    "refuses_live_keys": Need(
        "the target file does not promise refuses_live_keys in [process]",
        lambda target: (process := _start_of(target)) is not None and process.refuses_live_keys,
        _want_of_process("refuses_live_keys"),
    ),
    "rejection_record": Need(
        "the target file says nothing in [contract.rejection_record]",
        lambda target: target.contract.rejection_record is not None,
        _want("[contract.rejection_record]"),
    ),
    "retention": Need(
        "the target file says nothing in [retention]", lambda target: target.retention is not None, _want_rows
    ),
    "retention_delivered": Need(
        "the target file lists no rows in [retention] whose age is that of an event",
        _need_rows("delivered", ""),
        _want_rows,
    ),
    "retention_recorded": Need(
        "the target file lists no rows in [retention] whose age counts from an event's arrival",
        _need_rows("recorded"),
        _want_rows,
    ),
    "retention_written": Need(
        "the target file lists no rows in [retention] with values to write",
        _need_rows("written"),
        _want_rows,
    ),
    "retired_secret": Need(
        "the target file names no retired_secret_env",
        lambda target: target.webhook.retired_secret is not None,
        _want("[webhook] retired_secret_env"),
    ),
    "second_price": Need(
        "the target file names fewer than two recurring prices in [upstream.prices] and [subject]",
        lambda target: len(target.recurring_prices) > 1,
        _want("[upstream.prices]"),
    ),
    "store": Need("the target file lists no store", lambda target: bool(target.stores), _want("[[stores]]")),
    "store_faults": Need(
        "the target file says nothing in [store_faults]",
        lambda target: bool(target.store_faults),
        _want("[store_faults]"),
    ),
    "store_outage": Need(
        "the target file says nothing in [store_outage]",
        lambda target: target.store_outage is not None,
        _want("[store_outage]"),
    ),
    "upstream": Need(
        "the target file has no [upstream]", lambda target: target.upstream is not None, _want("[upstream]")
    ),
    **{
        name: Need(f"the target file has no [operations.{name}]", _need_operation(name), _want("[operations]"))
        for name in OPERATIONS
    },
    **{
        kind: Need(
            f"the target file has none of [operations.{'|'.join(names)}]", _need_operation(kind), _want("[operations]")
        )
        for kind, names in KINDS.items()
    },
}
