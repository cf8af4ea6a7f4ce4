"""A field that is missing is an error that nobody handles."""

from payproof_reference import app as application


def plant() -> None:
    on_invalid_request = application.on_invalid_request

    async def counting(request, error):
        assert all(detail["type"] != "missing" for detail in error.errors())
        return await on_invalid_request(request, error)

    application.on_invalid_request = counting
