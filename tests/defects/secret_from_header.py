"""A secret in a header of the request is used before the configured one (dj-stripe#1920)."""

from tests.defects._planting import secret_from_request


def plant() -> None:
    secret_from_request(lambda request: request.headers.get("x-webhook-secret"))
