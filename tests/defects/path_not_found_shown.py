"""A path that leads elsewhere is answered with the file that was looked for and is not there."""

from starlette.responses import JSONResponse

from tests.defects._planting import answered_otherwise


def plant() -> None:
    def shown(scope):
        if ".." in scope["path"] or "\0" in scope["path"]:
            return JSONResponse({"error": "[Errno 2] No such file or directory: '/srv/billing/static/index.html'"}, 404)
        return None

    answered_otherwise(shown)
