"""The query is taken for UTF-8, and one byte that is not is an error that nobody handles."""

from reference_impl.middleware import access


def plant() -> None:
    authenticate = access.authenticate

    async def decoding(request):
        request.scope["query_string"].decode()
        return await authenticate(request)

    access.authenticate = decoding
