"""The disk of the database is full, on a tmpfs of its own that only one command can see."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.components import need
from tests.end_to_end.command import PAYPROOF, payproof

CASE = "error_handling/store_faults[disk_full]"
_MOUNT = 'mount -t tmpfs -o size=256m,mode=1777 tmpfs "$0" && exec "$@"'
_JUDGE = """
import sys
from payproof.session import all_scenarios, choose
from tests.defects._proof import on_defect

((scenario, case),) = choose(all_scenarios(), ids=[sys.argv[2]])
with on_defect(sys.argv[1]) as session:
    verdict = session.judge_case(scenario, case).verdict
print(verdict.kind, *(one.check for one in verdict.findings))
"""


@pytest.fixture
def small(tmp_path):
    """The beginning of a command that has a small disk, which is gone when the command ends, and its variable."""
    as_root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    begin = ["unshare", "--mount", *as_root, "sh", "-c", _MOUNT, str(tmp_path)]
    made = (
        shutil.which("unshare") and subprocess.run([*begin, "true"], capture_output=True, check=False).returncode == 0
    )
    need("a disk of its own", bool(made))
    return begin, {**os.environ, "PAYPROOF_SMALL_DISK": str(tmp_path)}


@pytest.mark.thorough
@pytest.mark.parametrize("store", ["sqlite", "postgresql"])
def test_nothing_is_lost(small, tmp_path, store):
    """The reference service promises nothing that it cannot keep; SQLite has no room left for anything."""
    begin, variables = small
    if store == "postgresql":
        need("an administrator, whose server has a user of its own", os.geteuid() == 0)
    record = tmp_path.with_suffix(".jsonl")
    ran = payproof(
        *(*begin[1:], PAYPROOF, "run", "--reference", "--store", store, "--scenario", CASE, "--report", record),
        program=begin[0],
        env=variables,
    )
    assert ran.code == 0, ran.out + ran.err
    assert "1 passed" in ran.out
    if store == "sqlite":
        assert '"database_error": "SQLITE_FULL"' in payproof("show", record, CASE).out


@pytest.mark.thorough
@pytest.mark.parametrize("defect", ["accepted_without_database", "remembered_before_stored"])
def test_what_is_lost_is_found(small, defect):
    """A service that has said yes, or remembers an event, and has nothing of it, is found."""
    begin, variables = small
    judged = subprocess.run(
        [*begin, sys.executable, "-c", _JUDGE, defect, CASE], capture_output=True, text=True, env=variables, check=False
    )
    assert judged.stdout.split()[:2] == ["failed", "one_effect"], judged.stdout + judged.stderr


@pytest.mark.parametrize(
    ("folder", "told"), [("/nowhere", "/nowhere is no folder"), ("/", "the disk of / is larger than 1 GiB")]
)
def test_a_disk_that_must_not_be_filled(folder, told):
    """A folder that is not there, and a disk that others need, are refused before anything is begun."""
    ran = payproof("run", "--reference", env={**os.environ, "PAYPROOF_SMALL_DISK": folder})
    assert ran.code == 4
    assert ran.line.startswith(f"payproof: PAYPROOF_SMALL_DISK: {told}")
