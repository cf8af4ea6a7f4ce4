from collections.abc import Iterator
from typing import ClassVar

from harness.domain.contracts import Hit
from harness.forms import Form, Forms
from harness.registry import detector

__all__ = ["InputEcho"]


@detector
class InputEcho:
    """What was sent, said back by pydantic: FastAPI's own answer to an invalid body holds the whole of it."""

    name: ClassVar[str] = "input_echo"
    by_error: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = (
        b'{"detail":[{"type":"int_parsing","loc":["body","amount"],"msg":"Input should be an integer","input":"x"}]}',
        b'[{"type":"missing","loc":["body"],"msg":"Field required","input":null,"url":"https://errors.pydantic.dev/2"}]',
        b"amount\n  Input should be a valid integer [type=int_type, input_value='4x', input_type=str]",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"detail":[{"type":"int_parsing","loc":["body","amount"],"msg":"Input should be a valid integer"}]}',
        b'{"detail":[{"loc":["body","amount"],"msg":"field required","type":"value_error.missing"}]}',
        b'{"error":{"code":"unprocessable_entity","message":"The input could not be processed."}}',
        b'{"type":"text","input":"search"}',
    )
    forms: ClassVar[Forms] = Forms(
        Form(
            "input echoed by pydantic",
            rb"\"loc\":\s?\[[^\]]{0,300}\],\s{0,9}\"msg\":\s?\"(?:[^\"\\]|\\.){0,500}\",\s{0,9}\"input\":",
        ),
        Form("input echoed by pydantic", rb"\[type=\w{1,60}, input_value=", needs=(b"input_value=",)),
        Form("address of pydantic's errors", rb"https://errors\.pydantic\.dev/"),
    )

    def find(self, data: bytes) -> Iterator[Hit]:
        """Return where an error holds the input that caused it."""
        return self.forms.find(data)
