"""The query is taken for UTF-8, and an escape that is not is an error that nobody handles."""

from urllib.parse import unquote

from payproof_reference.middleware import access


def plant() -> None:
    authenticate = access.authenticate

    async def decoding(request):
        unquote(request.scope["query_string"].decode("latin-1"), errors="strict")
        return await authenticate(request)

    access.authenticate = decoding
