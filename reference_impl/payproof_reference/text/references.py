"""References, by which an operator finds a log line, an operation or a credential."""

import secrets
import string

__all__ = ["new_reference"]

LENGTH = 20


def new_reference() -> str:
    """Make up a reference of letters only: no run of digits that the log would redact as a card number."""
    return "".join(secrets.choice(string.ascii_lowercase) for _ in range(LENGTH))
