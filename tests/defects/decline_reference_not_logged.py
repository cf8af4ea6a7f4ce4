"""The reference in the answer to a refusal is a random one that stands in no log."""

from payproof_reference.middleware import errors
from payproof_reference.text.references import new_reference


def plant() -> None:
    told = errors.told
    errors.told = lambda status, detail, headers=None: told(
        status, detail.model_copy(update={"reference": new_reference()}), headers
    )
