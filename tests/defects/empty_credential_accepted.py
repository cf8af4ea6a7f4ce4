"""An empty credential is like one that was not asked for: the session of the last one goes on."""

from tests.defects._access import let_in


def plant() -> None:
    let_in(lambda request: request.headers.get("authorization", "none").strip().lower() == "bearer")
