"""The target's own commands are run to their end, in time, and shown nothing of."""

import asyncio
import sys

import pytest

from payproof.adapters.commands import LocalCommands
from payproof.errors import InconclusiveError, Reason

_HANGS = "import time; time.sleep(60)"


def run(*command, folder=".", seconds=30.0, **environment):
    """Run a command."""
    return asyncio.run(LocalCommands().run(command, folder=folder, environment=environment, seconds=seconds))


def test_status_folder_and_environment(tmp_path):
    """A command runs in its folder with its variables, and its status is what counts."""
    script = "import os, sys; open('ran', 'w').write(os.environ['NAME']); sys.exit(3)"
    assert run(sys.executable, "-c", script, folder=str(tmp_path), NAME="value") == 3
    assert (tmp_path / "ran").read_text() == "value"


def test_what_cannot_start_or_end_is_inconclusive():
    """A command that is not there, and one that hangs, end in a reason and leave no process."""
    for command, seconds in ((("no-such-command-anywhere",), 5.0), ((sys.executable, "-c", _HANGS), 0.2)):
        with pytest.raises(InconclusiveError) as caught:
            run(*command, seconds=seconds)
        assert caught.value.reason is Reason.COMMAND_FAILED
