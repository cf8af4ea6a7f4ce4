"""A signed body is taken for an object before anybody has looked whether it is one."""

from tests.defects._planting import look_into_signed_body


def plant() -> None:
    look_into_signed_body(lambda event: event.get("id"))
