"""The payload of every accepted event is left in a temporary file."""

from tempfile import NamedTemporaryFile

from payproof_reference.services.events import webhooks


def plant() -> None:
    parse = webhooks.parse

    def spooled(body):
        with NamedTemporaryFile(prefix="webhook-", delete=False) as file:
            file.write(body)
        return parse(body)

    webhooks.parse = spooled
