"""The payload of every accepted event is logged for debugging."""

import structlog

from payproof_reference.services.events import webhooks


def plant() -> None:
    parse = webhooks.parse

    def logged(body):
        structlog.get_logger().debug("webhook_payload", payload=body.decode(errors="replace"))
        return parse(body)

    webhooks.parse = logged
