"""Stripe's message is logged, with what it quotes of the request."""

import json

import structlog

from payproof_reference.services.stripe import sdk


def plant() -> None:
    reduced = sdk.reduce_answer

    def logging(status, headers, body):
        if status >= 400:
            structlog.get_logger().warning("stripe_said", message=json.loads(body)["error"]["message"])
        return reduced(status, headers, body)

    sdk.reduce_answer = logging
