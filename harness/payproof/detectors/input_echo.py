from typing import ClassVar

from payproof.forms import Form, FormDetector, Forms
from payproof.registry import detector

__all__ = ["InputEcho"]


# Not what is empty: that says nothing of the request back.
_SOMETHING = rb"(?!\s?(?:\{\s?\}|\[\s?\]|\(\)|\"\"|''|null\b|None\b))"


@detector
class InputEcho(FormDetector):
    """Input that pydantic says back: FastAPI's own answer to an invalid body holds the whole of it."""

    name: ClassVar[str] = "input_echo"
    by_error: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = (
        b'{"detail":[{"type":"int_parsing","loc":["body","amount"],"msg":"Input should be an integer","input":"x"}]}',
        b'[{"type":"missing","loc":["body","id"],"msg":"Field required","input":{"amount":4},"url":"https://errors.pydantic.dev/2"}]',
        b'[{"type":"missing","loc":["body"],"msg":"Field required","input":null,"url":"https://errors.pydantic.dev/2"}]',
        b"amount\n  Input should be a valid integer [type=int_type, input_value='4x', input_type=str]",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"detail":[{"type":"int_parsing","loc":["body","amount"],"msg":"Input should be a valid integer"}]}',
        b'{"detail":[{"loc":["body","amount"],"msg":"field required","type":"value_error.missing"}]}',
        b'{"error":{"code":"unprocessable_entity","message":"The input could not be processed."}}',
        b'{"type":"text","input":"search"}',
        b'{"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]}',
        b'{"detail":[{"type":"missing","loc":["query","id"],"msg":"Field required","input":{}}]}',
        b'{"detail":[{"type":"too_short","loc":["body"],"msg":"no","input": [ ],"ctx":{"min_length":1}}]}',
        b'{"detail":[{"type":"missing","loc":["body"],"msg":"no","input":""}]}',
        b"amount\n  Field required [type=missing, input_value={}, input_type=dict]",
    )
    forms: ClassVar[Forms] = Forms(
        Form(
            "input echoed by pydantic",
            rb"\"loc\":\s?\[[^\]]{0,300}\],\s{0,9}\"msg\":\s?\"(?:[^\"\\]|\\.){0,500}\",\s{0,9}\"input\":" + _SOMETHING,
        ),
        Form("input echoed by pydantic", rb"\[type=\w{1,60}, input_value=" + _SOMETHING, needs=(b"input_value=",)),
        Form("address of pydantic's errors", rb"https://errors\.pydantic\.dev/"),
    )
