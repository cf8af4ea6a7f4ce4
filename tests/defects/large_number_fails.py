"""The time of an event is read as a date before anybody has looked whether it can be one."""

from datetime import UTC, datetime

from tests.defects._planting import look_into_signed_body


def plant() -> None:
    look_into_signed_body(
        lambda event: (
            isinstance(event, dict)
            and isinstance(created := event.get("created"), int | float)
            and datetime.fromtimestamp(created, UTC)
        )
    )
