"""The language of an answer is chosen by a header that is taken apart without looking."""

from payproof_reference.middleware import access


def plant() -> None:
    authenticate = access.authenticate

    async def choosing(request):
        for choice in filter(None, request.headers.get("accept", "").split(",")):
            float(dict(part.strip().split("=") for part in choice.split(";")[1:]).get("q", 1)) <= 1 or 1 / 0
        return await authenticate(request)

    access.authenticate = choosing
