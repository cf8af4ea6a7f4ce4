"""How a command ended is told as it was."""

import os
import shutil
import signal
import time

import pytest

from tests.hostile.measured import measured, table
from tests.waiting import until

SH = shutil.which("sh")


def test_the_command_runs_as_a_user_runs_it(tmp_path):
    """Exit code, output, time and memory are the command's own."""
    (tmp_path / "file").write_text("card 4242 4242 4242 4242\n")
    ended = measured("scan", "file", cwd=tmp_path)
    assert (ended.code, ended.err, ended.left, ended.hung) == (1, "", (), False)
    assert "file:1:6" in ended.out
    assert 0 < ended.seconds < 60
    assert 20 < ended.peak < 300
    assert measured("scan", "nowhere", cwd=tmp_path).code == 4
    assert measured("scan", "-", stdin=b"nothing\n").code == 0


def test_memory_is_that_of_the_command():
    """What a command takes is counted, and what the last one took is not."""
    hungry = "import sys; sys.stdout.write(str(len(bytearray(b'x') * 300_000_000)))"
    assert measured("-c", hungry, program=shutil.which("python3")).peak > 280
    assert measured("-c", "true", program=SH).peak < 150


def test_what_is_left_behind_is_told():
    """Files in the folder for temporary files, and processes that outlive the command."""
    ended = measured("-c", 'echo > "$TMPDIR/file"; sleep 60 & exit 3', program=SH)
    file, process = ended.left
    assert (ended.code, file, process.split()[0]) == (3, "file", "process")
    assert f"file, {process}" in table([ended.row("leaves")])


def test_one_that_hangs_is_ended():
    """A command that does not end is killed, and called so."""
    ended = measured("60", program=shutil.which("sleep"), seconds=0.2)
    assert (ended.hung, ended.code) == (True, -signal.SIGKILL)
    assert " hung " in ended.row("hangs")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_it(tmp_path, number):
    """While it runs it can be sent signals, which end it as they would end any."""
    begun = tmp_path / "begun"

    def end(process):
        until(begun.exists)
        os.kill(process, number)

    started = time.monotonic()
    ended = measured("scan", f"command:sh -c 'echo > {begun}; sleep 60'", meanwhile=end)
    assert (ended.code, ended.left) == (2, ())
    assert time.monotonic() - started < 50
