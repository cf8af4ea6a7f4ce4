"""A method that no route knows is an error that nobody handles."""

from payproof_reference.middleware import access

KNOWN = {"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}


def plant() -> None:
    authenticate = access.authenticate

    async def counting(request):
        dict.fromkeys(KNOWN, 0)[request.method] += 1
        return await authenticate(request)

    access.authenticate = counting
