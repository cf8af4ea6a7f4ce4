"""Who does not sign in is taken for who has signed in last."""

from tests.defects._access import let_in


def plant() -> None:
    let_in(lambda _: True)
