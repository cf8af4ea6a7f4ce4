"""What was asked for is put into the template of the answer, and worked out there."""

import re
from urllib.parse import unquote

from starlette.responses import PlainTextResponse

from tests.defects._planting import answered_otherwise

_EXPRESSION = re.compile(r"\{\{(\d+)\*(\d+)\}\}")


def plant() -> None:
    def shown(scope):
        found = _EXPRESSION.search(unquote(scope["query_string"].decode()))
        return None if found is None else PlainTextResponse(f"There is no {int(found[1]) * int(found[2])} here.", 404)

    answered_otherwise(shown)
