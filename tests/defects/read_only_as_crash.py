"""That the database takes no change, as after a change of roles in a cluster, is answered 500 as a fault of its own."""

from sqlalchemy.exc import InternalError

from payproof_reference.middleware.errors import build_problem
from tests.defects._planting import on_database_error


def plant() -> None:
    on_database_error(lambda error: build_problem(500 if isinstance(error, InternalError) else 503))
