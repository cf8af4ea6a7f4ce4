"""The body is decoded as Latin-1 and encoded as UTF-8 before it is verified, which changes all beyond ASCII."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    verify = webhooks.verify
    webhooks.verify = lambda headers, body, *rest: verify(headers, body.decode("latin-1").encode(), *rest)
