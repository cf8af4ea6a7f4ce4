"""Takes an operation on: writes it, with its audit record, before Stripe hears of it.

So there is no call that nobody asked for, and none that a crash makes forgotten; when the audit log refuses, nothing
happens. The id that is made up here is the idempotency key of every attempt that will ever be made.
"""

from dataclasses import asdict, dataclass, replace

from pydantic import SecretStr
from sqlalchemy import Column, Connection, Engine

from payproof_reference.database.tables import customers, payments, subscriptions
from payproof_reference.database.tables import operations as table
from payproof_reference.services.audit.log import Action, AuditLog
from payproof_reference.services.identity.roles import Principal
from payproof_reference.services.operations import queue
from payproof_reference.services.operations.queue import OperationRow, WantedOperation
from payproof_reference.services.operations.transitions import build_record
from payproof_reference.services.refusals import Refusal, RefusedError
from payproof_reference.services.state import tenant_queries
from payproof_reference.text.digests import compute_digest
from payproof_reference.text.references import new_reference

__all__ = ["AcceptedOperation", "OperationRequest", "accept_operation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRequest:
    """Who wants what: with a `client_key`, the same request can be sent again and is the same operation."""

    wanted: WantedOperation
    principal: Principal
    origin: str
    client_key: str | None = None


@dataclass(frozen=True, slots=True)
class AcceptedOperation:
    """An operation, and whether it is claimed for the caller, who is then to attempt it."""

    operation: OperationRow
    is_claimed: bool


def accept_operation(
    engine: Engine, audit: AuditLog, key: SecretStr, request: OperationRequest, now: int
) -> AcceptedOperation:
    """Write an operation, or find the one that the same request made before.

    Args:
        engine: the database.
        audit: the audit log in it.
        key: of the digests by which a repetition is recognised.
        request: who wants what.
        now: seconds since the epoch.

    Raises:
        RefusedError: NOT_FOUND, NOT_REFUNDABLE or KEY_REUSED.
        AuditBrokenError, SQLAlchemyError: nothing was written.
    """
    secret, tenant_id = key.get_secret_value().encode(), request.principal.tenant_id
    # The caller's key may be anything, a name or a card number: it is only ever compared.
    client_key = request.client_key and compute_digest(secret, "client key", [tenant_id, request.client_key])
    request_digest = compute_digest(secret, "request", asdict(request.wanted))
    with engine.begin() as connection:
        found = find_repeated(connection, client_key)
        if found is None:
            wanted = resolve_customer(connection, tenant_id, request.wanted)
            made = queue.enter_operation(
                connection,
                wanted,
                now,
                operation_id=f"op_{new_reference()}",
                tenant_id=tenant_id,
                credential_id=request.principal.credential_id,
                client_key=client_key,
                request_digest=request_digest,
            )
            if made is not None:
                audit.append(connection, build_record(made, Action.OPERATION_REQUESTED, request.origin))
                return AcceptedOperation(made, is_claimed=made.claimed_until is not None)
            # A copy of the request was quicker by less than a transaction.
            found = find_repeated(connection, client_key)
    if found is None or found.request_digest != request_digest:
        raise RefusedError(Refusal.KEY_REUSED)
    return AcceptedOperation(found, is_claimed=False)


def find_repeated(connection: Connection, client_key: str | None) -> OperationRow | None:
    """Find the operation that was asked for under the same key of the same tenant."""
    return None if client_key is None else queue.find_operation(connection, table.c.client_key == client_key)


def resolve_customer(connection: Connection, tenant_id: str, wanted: WantedOperation) -> WantedOperation:
    """Add the customer to what is wanted, and lock it, so that requests for one object at once come in an order.

    Raises:
        RefusedError: the object is not the tenant's, or the amount is not left to be refunded. On the latter Stripe
            has the last word: its last event may be late.
    """
    column = choose_column(wanted)
    if column is None or wanted.target_id is None:
        return wanted
    customer_id = tenant_queries.lock_customer(connection, tenant_id, column, wanted.target_id)
    intent = wanted.stripe_payment_intent_id
    if intent is not None and (wanted.amount or 1) > tenant_queries.read_refundable(connection, intent):
        raise RefusedError(Refusal.NOT_REFUNDABLE)
    return replace(wanted, stripe_customer_id=customer_id)


def choose_column(wanted: WantedOperation) -> Column[str] | None:
    """Choose the column that `target_id` is an id of."""
    if wanted.stripe_subscription_id is not None:
        return subscriptions.c.stripe_subscription_id
    if wanted.stripe_payment_intent_id is not None:
        return payments.c.stripe_payment_intent_id
    return None if wanted.stripe_customer_id is None else customers.c.stripe_customer_id
