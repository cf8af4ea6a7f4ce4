"""Searches what a command prints, and the log of a container."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence

from payproof.at_rest.contents import search_stream
from payproof.at_rest.leaks import contain_errors
from payproof.at_rest.named_values import SievingScanner
from payproof.domain.leak import NotRead, Place, SearchEvent, UnitSearched

__all__ = ["search_container", "search_output"]

_ANSWER_SECONDS = 60  # in which an engine says what it knows of a container
_MOST_TOLD = 300  # characters of what a command says is wrong

Progress = Callable[[int], None]


def search_output(
    name: str, command: Sequence[str], scanner: SievingScanner, progress: Progress
) -> Iterator[SearchEvent]:
    """Search all that a command prints, errors among it; a command that fails is reported as not read."""
    return _put_counts_last(contain_errors(Place(name), _read_output(name, command, scanner, progress)))


def search_container(name: str, container: str, scanner: SievingScanner, progress: Progress) -> Iterator[SearchEvent]:
    """Search what the engine keeps of a container's standard output and standard error, in the order it was written.

    The container may run or have ended. One that is not there before or after the search is reported as not read.
    """
    return _put_counts_last(contain_errors(Place(name), _read_container(name, container, scanner, progress)))


def _put_counts_last(events: Iterable[SearchEvent]) -> Iterator[SearchEvent]:
    """Yield events, those that count what was searched last: a resumed search does not look at such a unit again."""
    counts: list[UnitSearched] = []
    for one in events:
        if isinstance(one, UnitSearched):
            counts.append(one)
        else:
            yield one
    yield from counts


def _read_output(
    name: str, command: Sequence[str], scanner: SievingScanner, progress: Progress
) -> Iterator[SearchEvent]:
    apart = not _has_terminal()
    try:
        process = subprocess.Popen(  # noqa: S603 (asked for)
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=apart,
        )
    except OSError as error:
        yield NotRead(Place(name), f"it cannot be started: {error.strerror}")
        return
    with process:
        assert process.stdout is not None
        try:
            yield from search_stream(name, process.stdout, scanner, progress)
        except BaseException:
            if apart:
                os.killpg(process.pid, signal.SIGKILL)  # it is not waited for yet, so the number is still its own
            else:
                process.kill()
            raise
    if process.returncode:
        yield NotRead(Place(name), f"it ended with status {process.returncode}")


def _has_terminal() -> bool:
    """Whether a terminal can be asked for a password, and interrupts all that runs in it.

    Where there is none, as in CI, a command has a session of its own, so that those it has started end with it.
    """
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _read_container(name: str, container: str, scanner: SievingScanner, progress: Progress) -> Iterator[SearchEvent]:
    number, why = _find_number(container)
    if not number:
        yield NotRead(Place(name), why)
        return
    yield from _read_output(name, ("docker", "logs", "--", number), scanner, progress)
    still, why = _find_number(number)
    if still != number:
        # The command ends well then, though parts of the log that it had not opened yet are gone.
        yield NotRead(Place(name), f"it is no longer there, so its log may have been read in part only: {why}")


def _find_number(container: str) -> tuple[str, str]:
    """Return the number that the engine knows a container by, or nothing and why."""
    try:
        asked = subprocess.run(  # noqa: S603 (asked for)
            ("docker", "container", "inspect", "--format", "{{.Id}}", "--", container),  # noqa: S607 (the user's own)
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_ANSWER_SECONDS,
            check=False,
        )
    except OSError as error:
        return "", f"the command docker cannot be started: {error.strerror}"
    except subprocess.TimeoutExpired:
        return "", f"the engine has not answered in {_ANSWER_SECONDS} s"
    if asked.returncode:
        return "", " ".join(asked.stderr.split())[:_MOST_TOLD] or f"docker ended with status {asked.returncode}"
    return asked.stdout.strip(), ""
