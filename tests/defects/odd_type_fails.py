"""A field of a type that nobody expects is an error that nobody handles."""

from payproof_reference import app as application

KNOWN = {"missing": 1, "extra_forbidden": 1, "string_pattern_mismatch": 1, "literal_error": 1, "json_invalid": 1}


def plant() -> None:
    on_invalid_request = application.on_invalid_request

    async def counting(request, error):
        assert all(KNOWN[detail["type"]] for detail in error.errors())
        return await on_invalid_request(request, error)

    application.on_invalid_request = counting
