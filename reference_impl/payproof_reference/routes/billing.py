"""The routes for callers, under one version; each needs a credential."""

from fastapi import APIRouter

from payproof_reference.routes import audit, customers, operations, payments, sessions, subscriptions
from payproof_reference.routes.parts import name_of

__all__ = ["router"]

router = APIRouter(prefix="/v1", generate_unique_id_function=name_of)
for part in (customers, subscriptions, payments, sessions, operations, audit):
    router.include_router(part.router)
