"""A cookie is used as the webhook secret."""

from tests.defects._planting import secret_from_request


def plant() -> None:
    secret_from_request(lambda request: request.cookies.get("webhook_secret"))
