"""The JSON Schema that reports in SARIF are held against, from the package that the files of this folder lock."""

import json
from pathlib import Path
from typing import Any

from tests.components import npm_packages

__all__ = ["read_schema"]


def read_schema() -> dict[str, Any]:
    """Return the schema of SARIF 2.1.0."""
    packages = npm_packages("sarif-schema", Path(__file__).parent)
    schema: dict[str, Any] = json.loads(
        (packages / "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json").read_text()
    )
    return schema
