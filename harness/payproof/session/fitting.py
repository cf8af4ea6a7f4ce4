"""Tries a target file that was just written, and pins what the trial has shown."""

from pathlib import Path
from typing import Any

from tomlkit import TOMLDocument

from payproof.domain.events import RunStarted
from payproof.session.pinning import edit_file, pin_file
from payproof.session.run import Session, open_session

__all__ = ["try_target_file"]


def try_target_file(file: Path) -> RunStarted:
    """Deliver genuine events to the target of a file, pin in it what they show, and return the header of a run.

    Where the target takes events of another API version only, that is put into the file first.

    Raises:
        ConfigurationError: the file cannot be used, or cannot be written.
        InconclusiveError: the target gives no answer, or refuses every genuine event.
    """
    with open_session(file, operations=False, fuzzing=False, afresh=True) as session:
        version = session.taken_version
        if not version:
            return _pin(file, session)
    edit_file(file, lambda document: _take_version(document, version))
    with open_session(file, operations=False, fuzzing=False, afresh=True) as session:
        return _pin(file, session)


def _take_version(document: TOMLDocument, version: str) -> None:
    hook: Any = document["webhook"]
    hook["api_version"] = version


def _pin(file: Path, session: Session) -> RunStarted:
    session.require_acceptance()
    if session.target.calibration.handled:
        pin_file(file, session.target)
    return session.make_header(0)
