"""Compares what Stripe knows with the rows of a target: by an export of events, or by the API."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from payproof.adapters.upstream.backends import HttpBackend, StripeTestMode
from payproof.domain.reconciliation import Agreement, RecordKind, StripeRecord
from payproof.domain.sensitive import Secret
from payproof.domain.target import Target
from payproof.engine.reconciler import Reconciler
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.language import read_target
from payproof.session.account import ApiAccount
from payproof.session.recorded_events import count_events, read_events
from payproof.session.run import open_tables
from payproof.stripe.flows.player import ANSWERS
from payproof.stripe.records import VOCABULARY, list_records, read_newest

__all__ = ["Reconciliation", "reconcile_rows"]

#: When an object was made, and when it has changed, as far as it says that.
_CHANGES = ("created", "canceled_at", "ended_at")
_PAGE, _MOST_PAGES = 100, 2000
_LISTS: Mapping[RecordKind, tuple[tuple[str, Mapping[str, object]], ...]] = {
    "payment": (("/v1/payment_intents", {}), ("/v1/charges", {})),
    "refund": (("/v1/refunds", {}),),
    "subscription": (("/v1/subscriptions", {"status": "all"}),),
}


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What is to be compared: ``kinds`` of records that were made or changed from ``since`` on, and not too recently.

    They come from ``events``, an export of events, or else from Stripe's test mode under ``key``, or from another
    server that answers for Stripe at ``stripe``. Times are in Unix seconds.
    """

    kinds: tuple[RecordKind, ...]
    since: int
    settled: int
    events: Path | None = None
    key: Secret | None = None
    stripe: str = ""


def reconcile_rows(target_file: Path, asked: Reconciliation) -> list[Agreement]:
    """Compare, and return how rows agree about each kind.

    Raises:
        ConfigurationError: a file cannot be read, or the target file lists no store.
        InconclusiveError: Stripe gives no answer, or a store cannot be read.
    """
    target = read_target(target_file)
    if not target.stores:
        raise ConfigurationError("no store to compare with", hint="list one in [[stores]]", file=target_file)
    records = _list_exported(asked) if asked.events is not None else asyncio.run(_list_at_stripe(asked))
    reconciler = Reconciler(records, VOCABULARY, target.contract.mirrors)
    _read_stores(target, reconciler)
    return reconciler.tell(asked.kinds, asked.settled)


def _list_exported(asked: Reconciliation) -> list[StripeRecord]:
    assert asked.events is not None
    count_events(asked.events)
    newest = read_newest(one for one in read_events(asked.events) if one.get("created", 0) >= asked.since)
    return list_records(newest)


async def _list_at_stripe(asked: Reconciliation) -> list[StripeRecord]:
    backend = StripeTestMode(asked.key) if asked.key is not None else HttpBackend(asked.stripe)
    account = ApiAccount(backend, ())
    try:
        found: dict[str, tuple[Mapping[str, Any], int]] = {}
        for path, parameters in (one for kind in asked.kinds for one in _LISTS[kind]):
            for one in await _list_all(account, path, {**parameters, "created": {"gte": asked.since}}):
                found[str(one["id"])] = one, max(int(one.get(name) or 0) for name in _CHANGES)
        return list_records(found)
    finally:
        await account.close()


async def _list_all(account: ApiAccount, path: str, parameters: Mapping[str, object]) -> list[dict[str, Any]]:
    """Return every object of a list, page by page.

    Raises:
        InconclusiveError: there are too many.
    """
    found: list[dict[str, Any]] = []
    last: Mapping[str, object] = {}
    for _ in range(_MOST_PAGES):
        page = await account.call("GET", path, {"limit": _PAGE, **parameters, **last}, ANSWERS)
        found += page["data"]
        if not page["has_more"]:
            return found
        last = {"starting_after": found[-1]["id"]}
    detail = f"{path}: more than {_PAGE * _MOST_PAGES:,} objects: take a later --since"
    raise InconclusiveError(Reason.UPSTREAM_FAILED, detail)


def _read_stores(target: Target, reconciler: Reconciler) -> None:
    for spec in target.stores:
        tables = open_tables(spec)
        try:
            for table in tables.tables():
                if table.name not in {*spec.ignore, *spec.rejection_log}:  # they hold no state
                    reconciler.add_table(table.name, tables.rows(table.name))
        finally:
            tables.close()
