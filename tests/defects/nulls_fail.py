"""A key is taken for one that holds something wherever it stands."""

from tests.defects._planting import look_into_signed_body


def plant() -> None:
    look_into_signed_body(lambda event: isinstance(event, dict) and "data" in event and event["data"].get("object"))
