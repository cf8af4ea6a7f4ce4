"""Operations: callers follow here what the service could not do at once."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field

from payproof_reference.database import paging
from payproof_reference.routes.parts import Listing, OperationId, Reader, declare_problems, open_reading
from payproof_reference.routes.performing import show_operation
from payproof_reference.routes.resources import Operation, Page
from payproof_reference.services.operations import queue
from payproof_reference.services.operations.queue import Status
from payproof_reference.services.refusals import Refusal, RefusedError

__all__ = ["router"]

router = APIRouter(prefix="/operations", tags=["operations"])


class OperationListing(Listing):
    """Which part of the list, of one status or of all."""

    status: Annotated[Status | None, Field(strict=False)] = None


@router.get("", responses=declare_problems())
def list_operations(
    request: Request, principal: Reader, listing: Annotated[OperationListing, Query()]
) -> Page[Operation]:
    """List operations, newest first."""
    statement = queue.restrict_to_tenant(
        queue.build_listing(listing.status), principal.tenant_id, after=listing.starting_after
    )
    with open_reading(request) as connection:
        found = paging.read_limited(connection, statement, listing.limit)
    return Page(data=[show_operation(queue.read_row(row)) for row in found.rows], has_more=found.has_more)


@router.get("/{operation_id}", responses=declare_problems(404))
def get_operation(request: Request, principal: Reader, operation_id: OperationId) -> Operation:
    """Tell what became of an operation."""
    with open_reading(request) as connection:
        found = queue.find_operation(connection, queue.match_operation(operation_id, principal.tenant_id))
    if found is None:
        raise RefusedError(Refusal.NOT_FOUND)
    return show_operation(found)
