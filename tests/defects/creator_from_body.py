"""An operation is noted under the name of whoever the request says has created it."""

from tests.defects._access import keep_field


def plant() -> None:
    keep_field("created_by")
