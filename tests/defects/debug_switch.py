"""With ?debug=1 a refusal shows the stack of the service."""

import traceback

from starlette.requests import Request
from starlette.responses import PlainTextResponse

from tests.defects._planting import answered_otherwise


def plant() -> None:
    def shown(scope):
        if "debug" in Request(scope).query_params:
            return PlainTextResponse("Traceback (most recent call last):\n" + "".join(traceback.format_stack()), 400)
        return None

    answered_otherwise(shown)
