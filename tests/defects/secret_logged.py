"""The signing secrets are printed for debugging, past the redaction of the log."""

import sys

from payproof_reference.services.events import webhooks


def plant() -> None:
    verify = webhooks.verify

    def printed(headers, body, secrets, *rest):
        sys.stdout.write(f"verifying with {secrets}\n")
        sys.stdout.flush()
        verify(headers, body, secrets, *rest)

    webhooks.verify = printed
