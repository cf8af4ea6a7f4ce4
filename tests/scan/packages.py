"""Searches the packages that others use most, as a measure of what is found where there is nothing.

Run as a program: `python -m tests.scan.packages DIR`. It installs the distributions of `most_used/pypi.txt` and the
packages of `most_used/npm.txt` below DIR, unless they are there, without running anything of theirs, and searches them
as `payproof scan` does. `most_used/known.yaml` says what is there and true. It ends with 0 where nothing else is found.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from payproof.cli import main

LISTS = Path(__file__).parent / "most_used"


def names(file):
    """Return the packages of a list."""
    return [line for line in (LISTS / file).read_text().splitlines() if not line.startswith("#")]


def install_distributions(folder):
    """Install Python's distributions, wheels only: to build another would run it."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    command = [uv, "pip", "install", "--python", sys.executable, "--target", folder, "--no-deps"]
    subprocess.run([*command, "--only-binary", ":all:", "-r", LISTS / "pypi.txt"], check=True)


def install_packages(folder):
    """Install npm's packages, and those that they need, without the scripts that they would run."""
    folder.mkdir(parents=True)
    (folder / "package.json").write_text('{"private": true}')
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--force", "--legacy-peer-deps"]
    subprocess.run(["npm", "install", *flags, *names("npm.txt")], cwd=folder, check=True)


def search(folder):
    """Install what is missing below a folder and search it; return the exit code of the search."""
    python, npm = folder / "python" / "site-packages", folder / "npm"
    if not python.exists():
        install_distributions(python)
    if not npm.exists():
        install_packages(npm)
    return main(["scan", str(python), str(npm / "node_modules"), "--waivers", str(LISTS / "known.yaml")])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    sys.exit(search(parser.parse_args().folder))
