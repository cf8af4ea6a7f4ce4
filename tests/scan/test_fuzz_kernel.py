"""The fuzz of the compiled loops finds what is wrong with them, and nothing where nothing is."""

import shutil
import subprocess
import sys

import pytest

from tests.components import need
from tests.scan.fuzz_kernel import SOURCES, WIDTHS, sanitizer

#: What is changed in which file, and by what it must be seen.
PLANTED = {
    "reads a byte behind the text": (
        "kernel_run.h",
        "text + from + skipped, here)",
        "text + from + skipped, here + 1)",
        "AddressSanitizer",
    ),
    "shifts by too much": ("kernel_run.h", "UINT64_C(1) << at / WIDTH", "UINT64_C(1) << (at + 64)", "runtime error"),
    "looks one digit too few": (
        "kernel.c",
        "digits < SHORTEST || digits > LONGEST ||",
        "digits < SHORTEST || digits >= LONGEST ||",
        "AssertionError",
    ),
}


pytestmark = pytest.mark.thorough  # CI runs `make fuzz-kernel` itself


@pytest.fixture(autouse=True)
def _needed():
    """There is a compiler that has the sanitizers."""
    need("compiler", present=sanitizer() is not None)


def fuzzed(sources, seconds, *widths):
    """Return how the fuzz ended, and what it said."""
    command = [sys.executable, "-m", "tests.scan.fuzz_kernel", "--seed", "1", "--sources", str(sources)]
    command += ["--seconds", str(seconds), *(word for width in widths for word in ("--width", str(width)))]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    return ended.returncode, ended.stdout + ended.stderr


def test_nothing_is_found_in_the_kernel():
    """Every width of vectors that the processor has is fuzzed, and holds."""
    code, said = fuzzed(SOURCES, 2)
    assert code == 0, said
    lines = said.splitlines()
    assert [int(line.split()[0]) for line in lines] == list(WIDTHS)
    assert all(line.endswith(("nothing found", "not tested")) for line in lines)
    assert "nothing found" in lines[0]


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_fault_is_found(tmp_path, name):
    """What is read or written outside of memory, what is undefined, and another result than NumPy's are each seen."""
    file, right, wrong, seen = PLANTED[name]
    for one in ("kernel.c", "kernel_run.h"):
        shutil.copy(SOURCES / one, tmp_path)
    text = (tmp_path / file).read_text()
    assert text.count(right) == 1
    (tmp_path / file).write_text(text.replace(right, wrong))
    code, said = fuzzed(tmp_path, 60, 128)
    assert code == 1, said
    assert seen in said
    assert "seed 1" in said
