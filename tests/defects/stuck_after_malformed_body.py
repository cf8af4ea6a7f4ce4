"""After a signed body that is no event the webhook takes nothing any more."""

from payproof_reference.services.events import webhooks
from payproof_reference.services.events.webhooks import Cause, RejectedError


def plant() -> None:
    parse, stuck = webhooks.parse, []

    def stumbling(body):
        if stuck:
            raise RejectedError(Cause.NOT_AN_EVENT)
        try:
            return parse(body)
        except RejectedError:
            stuck.append(body)
            raise

    webhooks.parse = stumbling
