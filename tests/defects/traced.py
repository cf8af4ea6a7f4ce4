"""TRACE sends the request back."""

from starlette.responses import Response

from tests.defects._planting import answered_otherwise


def plant() -> None:
    def trace(scope):
        if scope["method"] != "TRACE":
            return None
        lines = [b"TRACE " + scope["raw_path"], *(name + b": " + value for name, value in scope["headers"])]
        return Response(b"\r\n".join(lines), media_type="message/http")

    answered_otherwise(trace)
