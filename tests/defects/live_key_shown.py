"""A setting that is wrong is quoted where the service says so."""

import os
import sys

from tests.defects._planting import API_KEY_VARIABLE


def plant() -> None:
    given = os.environ.get(API_KEY_VARIABLE, "")
    if "_live_" in given:
        sys.exit(f"{API_KEY_VARIABLE}: {given} is of live mode")
