"""Reading bodies, without ever holding more than a limit."""

from starlette.requests import Request

__all__ = ["BodyTooLargeError", "read_body"]


class BodyTooLargeError(Exception):
    """A body is larger than the service's limit."""


async def read_body(request: Request, limit: int) -> bytes:
    """Read the raw body, at most `limit` bytes of it, whatever Content-Length says.

    Raises:
        BodyTooLargeError: before more than the limit is held in memory.
    """
    announced = request.headers.get("content-length", "0")
    if int(announced) > limit:
        raise BodyTooLargeError
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise BodyTooLargeError
    return bytes(body)
