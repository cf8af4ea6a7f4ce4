"""What the tables of target and scenario files have in common.

A key of a target file stands in two places. Its meaning and its usual value are a field of a dataclass in
``payproof.domain``. Its words, that is its limits and its description, are a field of the same name of a table here.
``FileModel.mean`` carries it from the table to the dataclass, so no other place has to name it.
"""

from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar, get_origin

from pydantic import BaseModel, ConfigDict

__all__ = ["FileModel"]

_Meaning = TypeVar("_Meaning")


class FileModel(BaseModel):
    """A table of a target or scenario file: unknown keys are mistakes, and nothing is taken for what it is not."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    def mean(self, meaning: Callable[..., _Meaning], **more: Any) -> _Meaning:
        """Return the domain's dataclass: each key becomes the field of its name, a list a set where the field is one.

        ``more`` are the fields whose values are not what the file says; they stand in place of keys of their names.
        """
        keys = dict(self)
        own = {one.name: one.type for one in fields(meaning) if one.name in keys.keys() - more.keys()}  # type: ignore[arg-type]
        said = {
            name: frozenset(keys[name]) if get_origin(kind) is frozenset else keys[name] for name, kind in own.items()
        }
        return meaning(**said, **more)
