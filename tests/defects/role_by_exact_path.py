"""Roles are looked at by the path as it is written; by another form of it everybody may do everything."""

from tests.defects._access import around_guard
from tests.defects._planting import surround_service


def plant() -> None:
    around_guard(lambda request, _principal, _guard: request.scope.get("folded", False))

    def folding(inner):
        async def handle(scope, receive, send):
            path = scope.get("path", "")
            plain = path.rstrip("/") or "/"
            if scope["type"] == "http" and plain != path:
                scope = {**scope, "path": plain, "raw_path": plain.encode(), "folded": True}
            await inner(scope, receive, send)

        return handle

    surround_service(folding)
