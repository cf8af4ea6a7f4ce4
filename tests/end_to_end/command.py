"""The installed command as a user runs it, in a process of its own."""

import io
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

from payproof.cli import _run

__all__ = ["PAYPROOF", "SECRET", "SECRET_ENV", "Ended", "environment", "payproof", "payproof_here", "target_file"]

PAYPROOF = shutil.which("payproof", path=sysconfig.get_path("scripts")) or "payproof"
SECRET_ENV = "PAYPROOF_TEST_WEBHOOK_SECRET"
SECRET = "whsec_" + "endToEnd0123456789abcdefghijklmn"


@dataclass(frozen=True)
class Ended:
    """How the command ended."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """What stands on standard error, which must be one line and no traceback."""
        assert "Traceback" not in self.err, self.err
        (line,) = self.err.splitlines()
        return line


def environment(**more: str) -> dict[str, str]:
    """Return this environment with the target's secret, and without what would colour or widen the output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "FORCE_COLOR"))}
    return {**kept, SECRET_ENV: SECRET, **more}


def payproof(
    *arguments: object,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes = b"",
    seconds: float = 300,
    program: str = PAYPROOF,
) -> Ended:
    """Run the command, or another program, to its end; one that hangs fails the test."""
    ended = subprocess.run(
        [program, *map(str, arguments)],
        env=env or environment(),
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=seconds,
        check=False,
    )
    return Ended(ended.returncode, ended.stdout.decode(), ended.stderr.decode())


def payproof_here(*arguments: object) -> Ended:
    """Run the command in this process, which spares the second that a new one takes to start."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), patch.dict(os.environ, {SECRET_ENV: SECRET}):
        code = _run([*map(str, arguments)])
    return Ended(code, out.getvalue(), err.getvalue())


def target_file(
    folder: Path,
    url: str,
    *,
    name: str = "target.toml",
    environment: str = "local",
    top: str = "",
    webhook: str = "",
    contract: str = "answer_within = 30\neffect_within = 0.2",
    sources: str = "",
    waive: tuple[str, ...] = ("store", "log"),
) -> Path:
    """Write a target file and return it; without sources, store and log are waived unless said otherwise."""
    waivers = "".join(f'[[waive]]\nchannel = "{one}"\nreason = "a test gives no access to it"\n' for one in waive)
    file = folder / name
    file.write_text(
        f'name = "a test\'s target"\nurl = "{url}"\nenvironment = "{environment}"\n{top}\n'
        f'[webhook]\npath = "/webhooks/stripe"\nsecret_env = "{SECRET_ENV}"\napi_version = "2022-11-15"\n{webhook}\n'
        f"[contract]\n{contract}\n{sources}\n{waivers}",
        encoding="utf-8",
    )
    return file
