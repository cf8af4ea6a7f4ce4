"""When the database refuses, the answer tells the statement and what the driver says to it."""

from starlette.responses import JSONResponse

from tests.defects._planting import on_database_error


def plant() -> None:
    on_database_error(lambda error: JSONResponse({"error": {"code": "database", "message": str(error)}}, 503))
