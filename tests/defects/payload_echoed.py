"""The answer to a refused delivery repeats its body."""

from starlette.responses import JSONResponse

from payproof_reference.routes import stripe


def plant() -> None:
    read_body, reject = stripe.read_body, stripe.reject

    async def kept(request, limit):
        request.state.body = await read_body(request, limit)
        return request.state.body

    def echoing(request, cause):
        answer = reject(request, cause)
        return JSONResponse(
            {"error": "invalid", "body": request.state.body.decode(errors="replace")}, answer.status_code
        )

    stripe.read_body, stripe.reject = kept, echoing
