"""What stands before every route that is not Stripe's or public: 401 without a credential, 403 without permission."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends
from starlette.exceptions import HTTPException

from reference_impl.services.access import Permission, Principal

__all__ = ["requires", "signed_in"]


def signed_in() -> Principal:
    """Find out whose credential a request carries.

    Raises:
        HTTPException: 401, always: there are no credentials yet.
    """
    raise HTTPException(HTTPStatus.UNAUTHORIZED)


def requires(permission: Permission) -> Callable[..., Principal]:
    """Build the dependency that lets only those pass who have a permission."""

    def check(principal: Annotated[Principal, Depends(signed_in)]) -> Principal:
        if not principal.may(permission):
            raise HTTPException(HTTPStatus.FORBIDDEN)
        return principal

    return check
