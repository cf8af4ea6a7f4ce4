"""Fuzzes the compiled loops under AddressSanitizer and UBSan, for each width of vectors; NumPy's way is the oracle.

Run as a program: `python -m tests.scan.fuzz_kernel --seconds 60`. It ends with status 1 at the first fault, and tells
the seed of the input that shows it. The sanitizers see what is read or written outside of memory, and what C leaves
undefined; the arrays see results that differ. Each width is compiled by itself, and one that this processor has not is
told as not tested.
"""

import argparse
import base64
import ctypes
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random
from unittest.mock import patch

import numpy as np

from payproof.registry import detectors_at_rest
from payproof.scan import compiled, digits, groups, kernel
from payproof.scan.codecs import base64 as codec
from payproof.scan.context import names_before, surely_joined
from payproof.scan.scanner import Scanner
from payproof.scan.streams import Machine, Program, plane
from payproof.scan.view import GUARD, View
from tests.scan._mixed import BESIDE, NAMED
from tests.scan._writing import SEPARATORS

__all__ = ["SOURCES", "WIDTHS", "compile_kernel", "sanitizer"]

SOURCES = Path(kernel.__file__).parent
WIDTHS = (128, 256, 512)
_SANITIZERS = "-fsanitize=address,undefined"
# Without optimization: the compiler takes a second for it, not two minutes, and leaves nothing out that is undefined.
_OPTIONS = ("-std=gnu11", "-O0", "-g", "-shared", "-fPIC", "-Wno-psabi", _SANITIZERS, "-fno-sanitize-recover=all")
_ENDS = 64, 512, 1984, 1984 * 8  # where vectors, lines and parts of a text end, in bytes
_MOST = 40_000
_WORDS = (
    *(*BESIDE, *NAMED, *SEPARATORS.values()),
    *("4000051234567894", "6212345678901234567", "4000 0512 3456 7894", "378282246310005", "4" * 40, "7" * 19, "12"),
    *('"id": ', "user id: ", "a=b=", "x[y]=", "%22=", "%27:", ">=", "==", ":'", '\\\\"', "-%3", "%2", "eJw", "eNo"),
    *(base64.b64encode(one.encode()).decode() for one in ("\u0664" * 6, "\uff14" * 6, "4242" * 6, "text of sorts")),
    *(base64.b64encode("4000".encode("utf-16-le") * 3).decode(), "AAAA", "=" * 5, "\n", "\\n", "\0", "\xff", "\x7f"),
)


def compiler() -> str:
    """Return the compiler that the set-up takes."""
    return os.environ.get("CC", "cc")


def sanitizer() -> str | None:
    """Return the library that has to be loaded before all others; None where the compiler has none."""
    try:
        asked = subprocess.run([compiler(), "-print-file-name=libasan.so"], capture_output=True, text=True, check=False)
    except OSError:
        return None
    place = asked.stdout.strip()
    return place if Path(place).is_absolute() else None


def compile_kernel(sources: Path, width: int, target: Path) -> None:
    """Compile the kernel in a folder for one width, with the sanitizers."""
    command = [compiler(), *_OPTIONS, "-DSOURCE=1", f"-DONLY={width}", "-o", str(target), str(sources / "kernel.c")]
    subprocess.run(command, check=True)


def _text(random: Random) -> bytes:
    """Return a text: words, noise, or both, of a length that is often near to where something ends."""
    near = random.choice(_ENDS) * random.randint(1, 4) + random.randint(-9, 9)
    size = min(_MOST, random.choice([random.randint(0, 300), max(0, near)]))
    kind = random.randrange(4)
    if kind == 0:
        return random.randbytes(size)
    if kind == 1:
        return bytes([random.randrange(256)]) * size
    words = "".join(random.choices(_WORDS, k=max(1, min(size // 3, 2000)))).encode("utf-8", "surrogatepass")[:size]
    text = bytearray(words)
    for _ in range(random.randint(0, 9) if kind == 2 and text else 0):
        text[random.randrange(len(text))] = random.randrange(256)
    return bytes(text)


def _program(random: Random) -> Program | None:
    """Return a program of made-up operations; None where one of them looks too far."""
    made = [plane(number) for number in range(8)]
    for _ in range(random.randint(1, 40)):
        one, two = (
            made[-1],
            random.choice(made).ahead(random.choice([0, random.randint(-9, 9), random.randint(-63, 190)])),
        )
        made.append(random.choice([one & two, one | two, one ^ two, ~one]))
    try:
        return Program({"last": made[-1], "before": made[-2].ahead(3)})
    except ValueError:
        return None


class _Fuzz:
    def __init__(self, library: Path) -> None:
        self._loops = kernel.Loops(ctypes.CDLL(str(library)))
        self._programs = Scanner(detectors_at_rest())._programs
        self._machines = self._both(self._programs, _MOST)

    def _both(self, programs: object, most: int) -> tuple[Machine, compiled.Compiled]:
        return Machine(programs, most), compiled.Compiled(programs, most, self._loops)

    def once(self, random: Random) -> None:
        """Make one input up and compare what both ways make of it."""
        text = _text(random)
        self._bits(self._machines, self._programs, text)
        made = _program(random)
        if made is not None:
            # Memory for so many bytes and no more, so that what is written behind it is seen.
            self._bits(self._both([made], len(text)), [made], text)
        start = random.randint(0, len(text))
        self._choices(text[start : start + 400])

    def _bits(self, machines: tuple[Machine, compiled.Compiled], programs: object, text: bytes) -> None:
        exact = np.frombuffer(text, np.uint8).copy()  # nothing of this process is behind it
        for machine in machines:
            machine.load(exact)
        for program in programs:
            for name in program.outputs:
                one, other = (machine.places(name).tolist() for machine in machines)
                assert one == other, name

    def _choices(self, text: bytes) -> None:
        text = b"." + text
        view = View(GUARD + text + GUARD, Machine(self._programs, len(text) + 2 * len(GUARD)))
        every = np.arange(len(GUARD), len(GUARD) + len(text), dtype=np.int64)
        view._places = dict.fromkeys(codec._CHOICES, every)
        numerals = np.array([place for place in every.tolist() if view.data[place : place + 12].isdigit()], np.int64)
        ends = np.minimum(every + 5, every[-1] + 1)

        def asked() -> tuple[object, ...]:
            plain, loops = digits._find_plain(view, numerals), kernel.loops()
            return (
                [getattr(plain, name).tolist() for name in ("starts", "ends", "brands", "valid")],
                (groups._pick_places(view, every) if loops is None else loops.groups(view.bytes, every)).tolist(),
                surely_joined(view, every, ends).tolist(),
                list(names_before(view, every)),
                {name: codec._pick_places(view, name).tolist() for name in codec._CHOICES},
            )

        with patch.object(kernel, "loops", lambda: self._loops):
            fast = asked()
        with patch.object(kernel, "loops", lambda: None):
            slow = asked()
        assert fast == slow


def _fuzz(library: Path, seconds: float, seed: int) -> None:
    """Fuzz in this process, which has the sanitizers, and print how many inputs there were."""
    if not ctypes.CDLL(str(library)).payproof_width():
        sys.stdout.write("not on this processor, not tested")
        return
    fuzz, count = _Fuzz(library), 0
    until = time.monotonic() + seconds
    while time.monotonic() < until or not count:
        sys.stderr.write(f"seed {seed + count}\r")  # the last one is told whatever ends the process
        sys.stderr.flush()
        fuzz.once(Random(seed + count))
        count += 1
    sys.stdout.write(f"{count} inputs from seed {seed}, nothing found")


def _run(sources: Path, width: int, seconds: float, seed: int, preloaded: str) -> bool:
    """Fuzz one width in a process of its own, tell how it ended, and return whether it found nothing."""
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder, "kernel.so")
        compile_kernel(sources, width, library)
        command = [sys.executable, "-m", __spec__.name, "--library", str(library)]
        command += ["--seconds", str(seconds), "--seed", str(seed)]
        ended = subprocess.run(command, env=_environment(preloaded), capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.stdout.write(f"{width} bits: FAULT, status {ended.returncode}\n{ended.stderr[-6000:]}\n")
        return False
    sys.stdout.write(f"{width} bits: {ended.stdout}\n")
    return True


def _environment(preloaded: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return kept | {
        "LD_PRELOAD": preloaded,
        "ASAN_OPTIONS": "detect_leaks=0",  # Python keeps what it has to its end
        "UBSAN_OPTIONS": "print_stacktrace=1",
        "PYTHONMALLOC": "malloc",  # so that each object is watched by itself
    }


def main() -> int:
    """Fuzz every width, each for its share of the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=int(time.time()) * 1000)
    parser.add_argument("--width", type=int, choices=WIDTHS, action="append")
    parser.add_argument("--sources", type=Path, default=SOURCES)
    parser.add_argument("--library", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.library is not None:
        _fuzz(asked.library, asked.seconds, asked.seed)
        return 0
    preloaded = sanitizer()
    if preloaded is None:
        sys.stderr.write("the compiler has no AddressSanitizer: nothing was tested\n")
        return 3
    widths = asked.width or WIDTHS
    held = [_run(asked.sources, width, asked.seconds / len(widths), asked.seed, preloaded) for width in widths]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
