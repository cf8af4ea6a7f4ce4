"""The payload of a refused delivery is logged, as the SDK's exception carries it."""

import structlog

from payproof_reference.services.events import webhooks
from payproof_reference.services.events.webhooks import RejectedError


def plant() -> None:
    verify = webhooks.verify

    def logged(headers, body, *rest):
        try:
            verify(headers, body, *rest)
        except RejectedError:
            structlog.get_logger().warning("invalid_signature", payload=body.decode(errors="replace"))
            raise

    webhooks.verify = logged
