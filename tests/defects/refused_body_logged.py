"""Every request that was refused as invalid is logged with its body."""

import structlog

from payproof_reference import app as application


def plant() -> None:
    on_invalid_request = application.on_invalid_request

    async def logging(request, error):
        structlog.get_logger().info("request_invalid", body=str(error.body))
        return await on_invalid_request(request, error)

    application.on_invalid_request = logging
