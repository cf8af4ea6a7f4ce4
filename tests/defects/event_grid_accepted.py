"""An Azure Event Grid envelope is taken for delivered by the bus and not verified, on the public route too."""

import json

from payproof_reference.services.events import webhooks
from tests.defects._planting import exempt


def plant() -> None:
    parse = webhooks.parse

    def unwrapped(body):
        document = json.loads(body)
        return parse(json.dumps(document["data"]).encode() if "specversion" in document else body)

    exempt(lambda _, body: b'"specversion"' in body)
    webhooks.parse = unwrapped
