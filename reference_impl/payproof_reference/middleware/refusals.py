"""Audit records of refusals, written one at a time, so that a flood of them stops nothing else."""

from collections.abc import Callable
from typing import TypeVar

import anyio.to_thread
from fastapi import Request

from payproof_reference.services.audit.log import Record

__all__ = ["enter_refusal", "origin_of", "write_one_at_a_time"]

Written = TypeVar("Written")

# A flood of forgeries writes one record at a time, so that it takes neither threads nor connections from deliveries.
REFUSALS_AT_ONCE = anyio.CapacityLimiter(1)


async def write_one_at_a_time(write: Callable[..., Written], *arguments: object) -> Written:
    """Write what belongs to a refusal, in a thread, after every other refusal that came before."""
    return await anyio.to_thread.run_sync(write, *arguments, limiter=REFUSALS_AT_ONCE)


async def enter_refusal(request: Request, record: Record) -> None:
    """Enter a refusal in the audit log.

    When that fails the refusal stands all the same, and its answer is the one it always is: nothing was done, the log
    of the service still gets its line, and who was refused learns nothing of the database.
    """
    await write_one_at_a_time(request.app.state.audit.note, request.app.state.engine, record)


def origin_of(request: Request) -> str:
    """Name the address of the other end of the connection; headers such as X-Forwarded-For are the sender's word."""
    return request.client.host if request.client else "unknown"
