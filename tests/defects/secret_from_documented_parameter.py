"""A parameter of the query, which the OpenAPI document tells of, is used as the webhook secret."""

from tests.defects._planting import document_parameter, secret_from_request


def plant() -> None:
    document_parameter("shop_signing_token", "query")
    secret_from_request(lambda request: request.query_params.get("shop_signing_token"))
