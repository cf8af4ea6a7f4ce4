"""What comes behind the end of a body leaves the service in doubt: it answers 503 to all that comes later."""

from starlette.responses import Response

from payproof_reference.server import Protocol
from tests.defects._planting import answered_otherwise


def plant() -> None:
    stuck, refuse = [], Protocol.send_400_response

    def refusing(self, msg):
        stuck.append(msg)
        refuse(self, msg)

    Protocol.send_400_response = refusing
    answered_otherwise(lambda _: Response(status_code=503) if stuck else None)
