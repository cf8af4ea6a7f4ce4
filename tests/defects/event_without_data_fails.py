"""An event without data is an error that nobody handles."""

from tests.defects._planting import look_into_signed_body


def plant() -> None:
    look_into_signed_body(lambda event: isinstance(event, dict) and event.get("id") and event["data"]["object"])
