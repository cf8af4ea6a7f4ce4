"""The answer to an invalid request names the value that was wrong."""

from starlette.responses import JSONResponse

from payproof_reference import app as application


def plant() -> None:
    async def on_invalid_request(_request, error):
        wrong = "; ".join(f"{detail['loc'][-1]}: not {detail.get('input')!r}" for detail in error.errors())
        return JSONResponse({"error": {"code": "unprocessable_entity", "message": wrong}}, 422)

    application.on_invalid_request = on_invalid_request
