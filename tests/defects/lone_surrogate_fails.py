"""The id of an event is written as UTF-8, which half of a surrogate pair cannot be."""

from tests.defects._planting import look_into_signed_body


def plant() -> None:
    look_into_signed_body(lambda event: isinstance(event, dict) and str(event.get("id")).encode())
