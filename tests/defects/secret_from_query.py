"""A secret in the query of the request is used before the configured one, as for one route with many endpoints."""

from tests.defects._planting import secret_from_request


def plant() -> None:
    secret_from_request(lambda request: request.query_params.get("secret"))
