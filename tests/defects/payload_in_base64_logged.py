"""The payload of every accepted event is logged in base64."""

from base64 import b64encode

import structlog

from payproof_reference.services.events import webhooks


def plant() -> None:
    parse = webhooks.parse

    def logged(body):
        structlog.get_logger().info("webhook_received", content=b64encode(body).decode())
        return parse(body)

    webhooks.parse = logged
