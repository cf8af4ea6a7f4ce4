"""A secret in the header that dj-stripe reads is used before the configured one (dj-stripe#1920)."""

from tests.defects._planting import secret_from_request


def plant() -> None:
    secret_from_request(lambda request: request.headers.get("x-djstripe-webhook-secret"))
