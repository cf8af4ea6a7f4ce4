"""A header, which pages of other origins may send, is used as the webhook secret."""

from starlette.responses import Response

from tests.defects._planting import HOOK, answered_otherwise, secret_from_request


def plant() -> None:
    headers = {"Access-Control-Allow-Headers": "Content-Type, X-Console-Signing-Key"}
    asked = {"method": "OPTIONS", "path": HOOK}
    answered_otherwise(
        lambda scope: Response(status_code=204, headers=headers) if asked.items() <= scope.items() else None
    )
    secret_from_request(lambda request: request.headers.get("x-console-signing-key"))
