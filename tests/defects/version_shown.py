"""Refusals come with another `Server` header than good answers, and it names the version."""

from importlib.metadata import version

from payproof_reference.routes import stripe


def plant() -> None:
    reject = stripe.reject

    def named(request, cause):
        answer = reject(request, cause)
        answer.headers["Server"] = f"uvicorn/{version('uvicorn')}"
        return answer

    stripe.reject = named
