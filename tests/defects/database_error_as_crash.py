"""That the database refuses is taken for a fault of the service's own, and answered 500."""

from payproof_reference.middleware.errors import build_problem
from tests.defects._planting import on_database_error


def plant() -> None:
    on_database_error(lambda _error: build_problem(500))
