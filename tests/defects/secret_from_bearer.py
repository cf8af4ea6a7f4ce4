"""A bearer token is used as the webhook secret."""

from tests.defects._planting import secret_from_request


def plant() -> None:
    secret_from_request(lambda request: request.headers.get("authorization", "").removeprefix("Bearer "))
