import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.components import need

ROOT = Path(__file__).parents[2]


def ran(*command, cwd, more=MappingProxyType({})):
    """Run a program to its end, with some more variables."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}} | more
    return subprocess.run(
        [*map(str, command)], cwd=cwd, env=kept, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built without the network."""
    folder = tmp_path_factory.mktemp("dist")
    built = ran(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    assert built.returncode == 0, built.stderr
    (found,) = folder.glob("payproof-*.whl")
    return found


def test_wheel_holds_code_and_data(wheel):
    """The wheel carries both packages, every scenario, the fixtures, the licence and the marker of its types."""
    names = zipfile.ZipFile(wheel).namelist()
    for scenario in (ROOT / "scenarios").glob("*/*.yaml"):
        assert f"payproof/_data/scenarios/{scenario.parent.name}/{scenario.name}" in names
    for fixture in (
        *ROOT.glob("fixtures/api/**/*.json"),
        *ROOT.glob("fixtures/events/**/*.json"),
        *ROOT.glob("fixtures/flows/*.yaml"),
    ):
        assert f"payproof/_data/{fixture.relative_to(ROOT)}" in names
    for name in (
        "payproof_reference/__main__.py",
        "payproof/py.typed",
        *(f"payproof/reporters/html_page/page.{part}" for part in ("css", "html", "js")),
    ):
        assert name in names
    assert [name for name in names if name.endswith("licenses/LICENSE")]
    # A package called otherwise could stand in the way of one of the user's.
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"payproof", "payproof_reference"}


def test_wheel_holds_the_compiled_loops_where_there_is_a_compiler(wheel):
    """With a compiler the wheel is one for this platform and carries the loops, for every version of Python."""
    need("compiler", shutil.which("cc") is not None)
    assert "payproof/scan/_kernel.abi3.so" in zipfile.ZipFile(wheel).namelist()
    assert "-py3-none-" in wheel.name
    assert not wheel.name.endswith("-any.whl")


def test_wheel_is_built_without_a_compiler(tmp_path):
    """Without a compiler the wheel is one for every platform, and goes without the loops."""
    copy = tmp_path / "copy"
    leave = shutil.ignore_patterns(".*", "tests", "_kernel.*", "__pycache__", "node_modules")
    shutil.copytree(ROOT, copy, ignore=leave)
    built = ran(
        *(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path), cwd=copy, more={"CC": "no-such"}
    )
    assert built.returncode == 0, built.stderr
    assert "kernel.c cannot be compiled here" in built.stderr + built.stdout
    (found,) = tmp_path.glob("payproof-*.whl")
    assert found.name.endswith("-py3-none-any.whl")
    names = zipfile.ZipFile(found).namelist()
    assert "payproof/scan/kernel.c" in names
    assert not [name for name in names if "_kernel." in name]


def test_installed_wheel_runs(wheel, tmp_path):
    """Installed into an empty environment, away from the checkout, the command lists and runs its scenarios."""
    lock = re.sub(r" \\\n(?:    --hash=\S+(?: \\)?\n)+", "\n", (ROOT / "requirements.lock").read_text())
    constraints = tmp_path / "constraints.txt"
    constraints.write_text(lock)
    uv = (sys.executable, "-m", "uv")
    place, home = tmp_path / "venv", tmp_path / "empty"
    home.mkdir()
    assert ran(*uv, "venv", "--quiet", "--python", sys.executable, place, cwd=home).returncode == 0
    python = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    installed = ran(
        *uv, "pip", "install", "--quiet", "--python", python, "--constraint", constraints, f"{wheel}[reference]",
        cwd=home,
    )  # fmt: skip
    unreachable = re.search(r"error sending request|Failed to fetch|dns error|client error|Network", installed.stderr)
    need("package index", installed.returncode == 0 or not unreachable)
    assert installed.returncode == 0, installed.stderr
    payproof = python.with_name("payproof")
    listed = ran(payproof, "list", "--where", cwd=home)
    assert listed.returncode == 0, listed.stderr
    assert len(listed.stdout.splitlines()) == len(list((ROOT / "scenarios").glob("*/*.yaml")))
    assert str(ROOT) not in listed.stdout
    record = home / "run.jsonl"
    run = ran(payproof, "run", "--reference", "--scenario", "webhook_signature/missing", "--report", record, cwd=home)
    assert (run.returncode, run.stderr) == (0, "")
    footer = json.loads(record.read_text().splitlines()[-1])
    assert footer["counts"]["passed"] == 2
