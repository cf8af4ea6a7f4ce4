"""The credential `null`, which JavaScript makes of none, lets in."""

from tests.defects._access import let_in


def plant() -> None:
    let_in(lambda request: request.headers.get("authorization") == "Bearer null")
