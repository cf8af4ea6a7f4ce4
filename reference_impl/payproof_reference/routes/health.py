"""The health check: the service reaches its database."""

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from payproof_reference.database import engine
from payproof_reference.middleware import paths
from payproof_reference.middleware.errors import Problem

__all__ = ["router"]

router = APIRouter()


class Health(BaseModel):
    """The body of a good answer."""

    status: Literal["ok"] = "ok"


@router.get(paths.HEALTH, responses={503: {"model": Problem}})
def health(request: Request) -> Health:
    """Answer 200 when the database answers, 503 when it does not."""
    engine.probe(request.app.state.engine)
    return Health()
