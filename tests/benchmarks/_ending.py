"""How a measured process is ended."""

import subprocess

__all__ = ["end"]


def end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Let a process stop by itself, and kill it when it takes longer."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
