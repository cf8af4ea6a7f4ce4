"""Wrong credentials are counted, and nobody is locked out."""

from payproof_reference.services.identity import sign_in


def plant() -> None:
    sign_in.MOST_FAILURES = 10**9
