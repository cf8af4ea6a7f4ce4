"""Compiles the inner loops of the search when the package is built, where there is a compiler; else it goes without.

The library is plain C without Python's headers, loaded by ctypes: one build serves every version of Python.
"""

import os
import shutil
import subprocess
import sysconfig
import tempfile
import zlib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_SOURCES = (Path("harness/payproof/scan/kernel.c"), Path("harness/payproof/scan/kernel_run.h"))
_LIBRARY = Path("harness/payproof/scan/_kernel.abi3.so")
_OPTIONS = ("-std=gnu11", "-O3", "-shared", "-fPIC", "-Wno-psabi")


class KernelHook(BuildHookInterface[Any]):
    """Puts the library beside its source, and into the wheel, which is then one for this platform."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's interface)
        """Compile, if there is a compiler that can."""
        target = Path(self.root, _LIBRARY)
        compiler = shutil.which(os.environ.get("CC", "cc")) if os.name == "posix" else None
        if compiler and self._compiled(compiler, target):
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{sysconfig.get_platform().replace('-', '_').replace('.', '_')}"
        else:
            target.unlink(missing_ok=True)
            self.app.display_warning(
                "harness/payproof/scan/kernel.c cannot be compiled here: the search will be slower"
            )

    def _compiled(self, compiler: str, target: Path) -> bool:
        """Compile and put the library in place at once, as others may be about to load it."""
        sources = [Path(self.root, one) for one in _SOURCES]
        digest = zlib.crc32(b"".join(one.read_bytes() for one in sources))  # a library of another source is not used
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = Path(folder, target.name)
            command = [compiler, *_OPTIONS, f"-DSOURCE={digest}", "-o", str(made), str(sources[0])]
            if subprocess.run(command, capture_output=True, check=False).returncode:  # noqa: S603 (all of it is ours)
                return False
            # A library that was cut or damaged since would end the process that loads it: the end tells its checksum.
            with made.open("ab") as file:
                file.write(b"%08x" % zlib.crc32(made.read_bytes()))
            made.replace(target)
        return True
