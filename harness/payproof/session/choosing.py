"""Which target is judged: the one that is named, else the one that stands beside the work; never another in silence."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from payproof.adapters.reference import EmbeddedStore, reference_name
from payproof.domain.target import Target
from payproof.errors import ConfigurationError
from payproof.language import read_target
from payproof.reporters.phrasing import describe_target, printable
from payproof.session.run import GIVEN

__all__ = ["FILE_NAME", "TARGET_VARIABLE", "described_choice", "find_target", "target_or_reference"]

#: What `payproof init` writes, and what is found in the folder or above.
FILE_NAME = "payproof.toml"
#: Names a target file, before any that is found.
TARGET_VARIABLE = "PAYPROOF_TARGET"


def target_or_reference(
    *,
    target: Path | None,
    reference: bool,
    folder: Path | None = None,
    option: str = "--",
    configured: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Path | None:
    """Return the file of the target to judge, or None for the reference service, which must be asked for by name.

    ``option`` is how the options of whoever asks begin, for what is told. ``configured`` is what a configuration file
    names, before any that is found and after the environment.

    Raises:
        ConfigurationError: both are asked for, or neither is and no target is found.
    """
    if reference:
        if target is not None:
            raise ConfigurationError("a target file and the reference service exclude each other")
        return None
    found = target or find_target(folder or Path(), environment, configured)
    if found is None:
        raise ConfigurationError(
            f"no target: there is no {FILE_NAME} (or [tool.payproof]) here or above, up to the repository's root",
            hint=f"write one with `payproof init URL`, name one with {option}target FILE or {TARGET_VARIABLE}, or ask "
            f"for the reference service with {option}reference",
        )
    return found


def find_target(
    folder: Path, environment: Mapping[str, str] = os.environ, configured: Path | None = None
) -> Path | None:
    """Return the target file that the environment names, or else the first in a folder or above, if there is one.

    It is ``payproof.toml``, or what ``[tool.payproof] target`` in ``pyproject.toml`` names. Above the folder only the
    repository that it stands in is looked into: a target file names commands, and one of somebody else runs none here.

    Raises:
        ConfigurationError: what is named is not there, cannot be read, or differs from a ``payproof.toml`` beside it.
    """
    if named := environment.get(TARGET_VARIABLE, "").strip():
        return _existing(Path(named), TARGET_VARIABLE)
    if configured is not None:
        return _existing(configured, "the ini option payproof_target")
    for place in _places(folder):
        beside = place / FILE_NAME
        project = _named_in(place / "pyproject.toml")
        if project is not None and beside.is_file() and not beside.samefile(project):
            raise ConfigurationError(
                f"[tool.payproof] names {project}, and {beside} is there too", hint="remove one, or give --target FILE"
            )
        if project is not None or beside.is_file():
            return project or beside
    return None


def described_choice(chosen: Path | Target | None, store: EmbeddedStore | None) -> str:
    """Return one line that says what is judged, and what of it is waived, before it is opened.

    Raises:
        ConfigurationError: the target file is wrong.
    """
    if chosen is None:
        return describe_target(reference_name(store or "sqlite"), "", "", "")
    file = GIVEN if isinstance(chosen, Target) else str(chosen)
    target = chosen if isinstance(chosen, Target) else read_target(chosen)
    waived = "".join(f"; waived: {one.channel}: {printable(one.reason)}" for one in target.contract.waivers)
    return describe_target(target.name, target.environment, target.url, file) + waived


def _places(folder: Path) -> list[Path]:
    """Return a folder and those above it up to the root of its repository; without a repository only itself."""
    absolute = folder.absolute()
    above = [absolute, *absolute.parents]
    root = next((number for number, place in enumerate(above) if (place / ".git").exists()), 0)
    shown = [folder, *above[1:]]  # a path in reports and commands is as short as the user's own
    return shown[: root + 1]


def _named_in(project: Path) -> Path | None:
    """Return the target file that a ``pyproject.toml`` names, if it is there and names one."""
    try:
        content = tomllib.loads(project.read_bytes().decode())
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise ConfigurationError(f"[tool.payproof] cannot be looked for: {why}", file=project) from None
    tool = content.get("tool", {})
    table = tool.get("payproof", {}) if isinstance(tool, dict) else {}
    if not isinstance(table, dict) or set(table) - {"target"} or not isinstance(table.get("target", ""), str):
        raise ConfigurationError('[tool.payproof] takes target = "FILE" and nothing else', file=project)
    return _existing(project.parent / table["target"], str(project)) if table.get("target") else None


def _existing(file: Path, by: str) -> Path:
    if not file.is_file():
        raise ConfigurationError(f"{by} names the target file {file}, which is not there")
    return file
