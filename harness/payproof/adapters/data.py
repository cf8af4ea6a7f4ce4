from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

__all__ = ["data_folder"]


def data_folder(name: str) -> Traversable:
    """Return ``scenarios`` or ``fixtures``: inside the package where it was installed, beside it in a checkout."""
    packaged = files("payproof") / "_data" / name
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / name
