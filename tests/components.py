"""What a test does when the machine lacks a component that the test is about."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

__all__ = ["docker_answers", "has_image", "installed", "need", "npm_packages"]


def need(name: str, present: bool) -> None:
    """Skip the test when a component is absent; fail it instead where the environment says PAYPROOF_REQUIRE=all.

    A machine that can never have a component names it in PAYPROOF_WITHOUT, in words, apart by commas.
    """
    if present:
        return
    message = f"{name}: not on this machine, not tested"
    if os.environ.get("PAYPROOF_REQUIRE") == "all" and name not in os.environ.get("PAYPROOF_WITHOUT", "").split(","):
        pytest.fail(message)
    pytest.skip(message)


@cache
def docker_answers() -> bool:
    """Whether there is a Docker engine, and the command to speak to it."""
    if shutil.which("docker") is None:
        return False
    try:
        return not subprocess.run(["docker", "version"], capture_output=True, timeout=30, check=False).returncode
    except subprocess.TimeoutExpired:
        return False


@cache
def has_image(image: str) -> bool:
    """Whether the Docker engine has an image, or gets it; it may have no registry."""
    present = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
    if not present.returncode:
        return True
    try:
        pulled = subprocess.run(["docker", "pull", "--quiet", image], capture_output=True, timeout=100, check=False)
    except subprocess.TimeoutExpired:
        return False
    return not pulled.returncode


def installed(name: str, sources: Sequence[Path], *commands: Sequence[str], seconds: float = 100) -> Path | None:
    """Return a folder of the user's cache in which commands ran once beside copies of files, such as `npm ci`.

    None where a command fails, as it does without a registry. A package that is not the locked one fails the test.
    """
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "payproof"
    folder = cache / f"{name}-{digest[:16]}"
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # what one worker of this run installs, the others wait for
        if folder.is_dir():
            return folder
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            fresh = Path(scratch) / name
            fresh.mkdir()
            for source in sources:
                shutil.copy(source, fresh)
            for command in commands:
                done = subprocess.run(command, cwd=fresh, capture_output=True, text=True, timeout=seconds, check=False)
                assert "EINTEGRITY" not in done.stderr, done.stderr
                assert "Hash mismatch" not in done.stderr, done.stderr
                if done.returncode:
                    return None
            fresh.rename(folder)
    return folder


def npm_packages(name: str, source: Path) -> Path:
    """Return the `node_modules` that the lock file of a folder says, or skip the test where there is no npm."""
    need("npm", shutil.which("npm") is not None)
    files = [source / "package.json", source / "package-lock.json"]
    folder = installed(name, files, ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"))
    need(f"the npm packages of {name}", folder is not None)
    assert folder is not None
    return folder / "node_modules"
