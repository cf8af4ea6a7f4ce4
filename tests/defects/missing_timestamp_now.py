"""A header without a timestamp is read as signed on arrival, give or take a second for the way."""

from payproof_reference.services.events import webhooks
from tests.defects._planting import values


def plant() -> None:
    right = webhooks.verify

    def verify(headers, body, secrets, now, tolerance):
        for moment in (now, now - 1):
            if any(headers) and not values(headers[0], "t"):
                try:
                    return right([f"t={moment},{headers[0]}"], body, secrets, now, tolerance)
                except webhooks.RejectedError:
                    continue
        return right(headers, body, secrets, now, tolerance)

    webhooks.verify = verify
