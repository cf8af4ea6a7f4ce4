"""Each `v1` is looked up in a remote store of keys, about a millisecond each, however many a sender lists."""

import time

from tests.defects._planting import before_parsing, values


def plant() -> None:
    before_parsing(lambda header: time.sleep(0.0011 * len(values(header, "v1"))))
