"""A small target that takes payments through Stripe's API, carefully or not."""

import json
import urllib.request
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from uuid import uuid4

from tests.end_to_end.hostile import Behaviour, Peer, Received, answer

__all__ = ["OPERATIONS", "merchant"]

#: What a target file says of it, after the tables of the target itself; ``{upstream}`` is where Stripe is.
OPERATIONS = """
[contract.operations]
declined = [402]
unavailable = [503]
answer_within = 30
completed_within = 1

[upstream]
url = "{upstream}"
{backend}

[operations.pay]
request = "POST /payments"
body = {{ amount = 500 }}
calls = "POST /v1/payment_intents"
"""

KEY = "sk_" + "test_" + "0123456789abcdef"
FORM = urlencode(
    {
        "amount": "500",
        "currency": "usd",
        "confirm": "true",
        "payment_method": "pm_card_visa",
        "return_url": "https://shop.test/back",
    }
).encode()


def merchant(stripe: str, *, attempts: int = 3, one_key: bool = True) -> Behaviour:
    """Return what takes payments at an address of Stripe's, and accepts every event."""

    def pay() -> tuple[int, bytes]:
        status, key = 0, str(uuid4())
        for _ in range(attempts):
            status = call(stripe, key if one_key else str(uuid4()))
            if status and status < 500:
                break
        told = {200: (201, b'{"status":"paid"}'), 402: (402, b'{"error":"declined"}')}
        return told.get(status, (503, b'{"error":"unavailable"}'))

    def behave(peer: Peer, request: Received) -> None:
        status, body = pay() if request.target == "/payments" else (200, b"{}")
        peer.send(answer(status, body))

    return behave


def call(stripe: str, key: str) -> int:
    """Ask Stripe for a payment; return the status, or 0 without a readable answer."""
    headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": key}
    request = urllib.request.Request(f"{stripe}/v1/payment_intents", FORM, headers)
    try:
        with urllib.request.urlopen(request, timeout=3) as response:
            json.loads(response.read())
            return response.status
    except HTTPError as error:
        with error:
            return error.code
    except (URLError, OSError, ValueError):
        return 0
