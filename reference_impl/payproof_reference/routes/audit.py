"""The audit log, as far as a tenant may read it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from payproof_reference.middleware.refusals import origin_of
from payproof_reference.routes.models import StrictModel
from payproof_reference.routes.parts import AnyId, Auditor, Moment, Whole, declare_problems
from payproof_reference.routes.resources import AuditRecord, Page
from payproof_reference.services.audit import reading
from payproof_reference.services.audit.log import Action, Result
from payproof_reference.services.audit.reading import Filters

__all__ = ["router"]

router = APIRouter(prefix="/audit-records", tags=["audit"])


class AuditListing(StrictModel):
    """Which part of the log: times in seconds since the epoch, both included."""

    limit: Annotated[Whole, Field(ge=1, le=100)] = 20
    starting_after: Annotated[Whole, Field(ge=1, lt=10**12)] | None = None
    since: Annotated[Moment | None, Field(alias="from")] = None
    until: Annotated[Moment | None, Field(alias="to")] = None
    event: Annotated[Action | None, Field(strict=False)] = None
    object_id: AnyId | None = None


@router.get("", responses=declare_problems())
def list_audit_records(
    request: Request, principal: Auditor, listing: Annotated[AuditListing, Query()]
) -> Page[AuditRecord]:
    """List the tenant's records, newest first. That they were read is recorded too."""
    filters = Filters(
        since=listing.since,
        until=listing.until,
        event=listing.event,
        object_id=listing.object_id,
        before=listing.starting_after,
    )
    state = request.app.state
    found = reading.read_records(
        state.engine,
        state.audit,
        filters,
        listing.limit,
        tenant_id=principal.tenant_id,
        actor=principal.actor,
        origin=origin_of(request),
    )
    return Page(
        data=[
            AuditRecord(**{**row, "event": Action(row["event"]), "result": Result(row["result"])}) for row in found.rows
        ],
        has_more=found.has_more,
    )
