"""The target that a test-suite gives at run time, by the fixture ``payproof_target``."""

from collections.abc import Mapping
from pathlib import Path

from payproof.domain.target import Target
from payproof.errors import ConfigurationError
from payproof.language import read_target_mapping
from payproof.session.run import GIVEN

__all__ = ["read_given"]


def read_given(given: object, folder: Path, collected: frozenset[str] | None) -> Target:
    """Return the target that the fixture has given; its paths are relative to a folder.

    ``collected`` are the folders of scenarios whose cases are tests of this run, or None where no cases are.

    Raises:
        ConfigurationError: it is no mapping, is not right, or names scenarios that nobody has collected.
    """
    if not isinstance(given, Mapping):
        hint = "return a mapping with the keys of a target file: url, webhook, stores, ..."
        raise ConfigurationError(f"it gave {type(given).__name__}", hint=hint, file=GIVEN)
    target = read_target_mapping(given, place=GIVEN, folder=folder)
    for named in () if collected is None else target.scenarios:
        if str(Path(named).resolve()) not in (collected or ()):
            problem = f"cases were collected before {named} was named"
            raise ConfigurationError(problem, hint="name it by the ini option payproof_scenarios", file=GIVEN)
    return target
