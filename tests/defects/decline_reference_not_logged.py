"""The reference in the answer to a refusal is a random one that stands in no log."""

from payproof_reference.middleware import errors
from payproof_reference.text.references import new_reference


def plant() -> None:
    right = errors.build_answer
    errors.build_answer = lambda status, detail, headers=None: right(
        status, detail.model_copy(update={"reference": new_reference()}), headers
    )
