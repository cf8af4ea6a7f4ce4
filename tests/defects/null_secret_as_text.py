"""A secret that is null in the JSON configuration becomes the text `null`, with which everybody can sign."""

import json

from tests.defects._planting import also_secrets


def plant() -> None:
    also_secrets(json.dumps(None))
