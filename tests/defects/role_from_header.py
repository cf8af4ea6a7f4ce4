"""The role is what the request says it is."""

from tests.defects._access import around_guard


def plant() -> None:
    around_guard(lambda request, _principal, _guard: request.headers.get("x-role") == "admin")
