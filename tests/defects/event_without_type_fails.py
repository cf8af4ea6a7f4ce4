"""The type of an event decides what is done with it before anybody has looked whether it has one."""

from tests.defects._planting import look_into_signed_body


def plant() -> None:
    look_into_signed_body(lambda event: isinstance(event, dict) and event.get("id") and event["type"])
