"""Whoever has signed in may do everything, whatever the role."""

from payproof_reference.services.identity.roles import Principal


def plant() -> None:
    Principal.may = lambda *_: True
