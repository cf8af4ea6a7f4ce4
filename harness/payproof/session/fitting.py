"""Tries a target file that was just written, and pins what the trial has shown."""

from pathlib import Path
from typing import Any

import tomlkit

from payproof.domain.events import RunStarted
from payproof.session.pinning import pin_file, write_beside
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
    document = tomlkit.parse(file.read_text(encoding="utf-8"))
    hook: Any = document["webhook"]
    hook["api_version"] = version
    write_beside(file, tomlkit.dumps(document))
    with open_session(file, operations=False, fuzzing=False, afresh=True) as session:
        return _pin(file, session)


def _pin(file: Path, session: Session) -> RunStarted:
    session.require_acceptance()
    if session.target.calibration.handled:
        pin_file(file, session.target)
    return session.make_header(0)
