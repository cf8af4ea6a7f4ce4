"""Every `v` and a number counts as a signature scheme, so that a `v2` of whatever meaning is compared as a `v1`."""

import re

from tests.defects._planting import rewrite_header


def plant() -> None:
    rewrite_header(lambda header: re.sub(r"(?<![^,])v[1-9]=", "v1=", header))
