"""The health check shows how the API key begins, so that somebody can see which one is in use."""

import json
import os

from tests.defects._access import serve
from tests.defects._planting import API_KEY_VARIABLE


def plant() -> None:
    shown = os.environ[API_KEY_VARIABLE][:14] + "..."
    serve("/health", json.dumps({"status": "ok", "stripe_key": shown}), "application/json")
