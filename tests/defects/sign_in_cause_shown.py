"""The answer to who has not signed in says whether there was a credential at all."""

from starlette.requests import Request
from starlette.responses import JSONResponse

from payproof_reference.middleware import access, paths


def plant() -> None:
    original = access.Authentication.__call__

    async def answer(self, scope, receive, send):
        if scope["path"] in paths.PUBLIC:
            await original(self, scope, receive, send)
            return
        request = Request(scope)
        request.state.principal = await access.authenticate(request)
        if request.state.principal is not None:
            await self.app(scope, receive, send)
            return
        told = "unknown credential" if "authorization" in request.headers else "no credential"
        headers = access.CHALLENGE
        await JSONResponse({"error": {"code": "unauthorized", "message": told}}, 401, headers)(scope, receive, send)

    access.Authentication.__call__ = answer
