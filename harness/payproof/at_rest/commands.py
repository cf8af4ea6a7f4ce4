"""The search of what a command prints, and of the log of a container."""

import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence

from payproof.at_rest.contents import search_stream
from payproof.at_rest.named import Searcher
from payproof.at_rest.telling import contained
from payproof.domain.trace import NotRead, Place, Searched, Told

__all__ = ["search_container", "search_output"]

_ANSWER_SECONDS = 60  # in which an engine says what it knows of a container
_MOST_TOLD = 300  # characters of what a command says is wrong

Progress = Callable[[int], None]


def search_output(name: str, command: Sequence[str], scanner: Searcher, progress: Progress) -> Iterator[Told]:
    """Search all that a command prints, errors among it; one that fails is told as not read."""
    return _counted_last(contained(Place(name), _output(name, command, scanner, progress)))


def search_container(name: str, container: str, scanner: Searcher, progress: Progress) -> Iterator[Told]:
    """Search what the engine keeps of a container's standard output and standard error, in the order it was written.

    The container may run or have ended. One that is not there before or after the search is told as not read.
    """
    return _counted_last(contained(Place(name), _container(name, container, scanner, progress)))


def _counted_last(told: Iterable[Told]) -> Iterator[Told]:
    """Yield what is told, how much was searched last: from then on a search that is resumed does not look again."""
    counted: list[Searched] = []
    for one in told:
        if isinstance(one, Searched):
            counted.append(one)
        else:
            yield one
    yield from counted


def _output(name: str, command: Sequence[str], scanner: Searcher, progress: Progress) -> Iterator[Told]:
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
    """Whether a terminal can be asked for a password, and tells all that runs in it when it is interrupted.

    Where there is none, as in CI, a command has a session of its own, so that those it has started end with it.
    """
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _container(name: str, container: str, scanner: Searcher, progress: Progress) -> Iterator[Told]:
    number, why = _number(container)
    if not number:
        yield NotRead(Place(name), why)
        return
    yield from _output(name, ("docker", "logs", "--", number), scanner, progress)
    still, why = _number(number)
    if still != number:
        # The command ends well then, though parts of the log that it had not opened yet are gone.
        yield NotRead(Place(name), f"it is no longer there, so its log may have been read in part only: {why}")


def _number(container: str) -> tuple[str, str]:
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
