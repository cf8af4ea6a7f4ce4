"""Headers that verified once are remembered to save the next verification, whatever body comes with them."""

from payproof_reference.services.events import webhooks


def plant() -> None:
    verify, seen = webhooks.verify, set()

    def remembering(headers, *rest):
        if tuple(headers) not in seen:
            verify(headers, *rest)
            seen.add(tuple(headers))

    webhooks.verify = remembering
