"""Each attempt has an Idempotency-Key of its own, so that a lost answer means a second charge."""

from uuid import uuid4

from payproof_reference.services.stripe.connection import Connection
from payproof_reference.services.stripe.retry import WRITES


def plant() -> None:
    def write(self, operation, model, key, request):
        def attempt():
            return self.attempt(model, lambda client: request(client, {"idempotency_key": str(uuid4())}))

        return self.caller.call(operation, WRITES, attempt)

    Connection.write = write
