"""An unsigned event is taken when it says `"livemode": false`, which is the sender's word."""

import json

from tests.defects._planting import exempt


def plant() -> None:
    exempt(lambda headers, body: not headers and json.loads(body).get("livemode") is False)
