"""Whoever says so by a header that a proxy would send is signed in."""

from tests.defects._access import let_in


def plant() -> None:
    let_in(lambda request: "x-forwarded-user" in request.headers)
