"""A header, which the OpenAPI document tells of, is used as the webhook secret."""

from tests.defects._planting import document_parameter, secret_from_request


def plant() -> None:
    document_parameter("X-Shop-Secret", "header")
    secret_from_request(lambda request: request.headers.get("x-shop-secret"))
