"""Runs cases on several reference services side by side: most of a case's time is waiting, and none disturbs another.

Each lane is a process with a service, a database and a Stripe of its own, and takes the next case when it is free. What
is told is told in the order of the cases, as if there were one lane.
"""

import os
import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext
from multiprocessing.process import BaseProcess
from multiprocessing.resource_tracker import ensure_running
from pathlib import Path
from typing import Any

from payproof.adapters.reference import require_reference
from payproof.canary import Ledger
from payproof.domain.events import CaseFinished, RunEvent, RunStarted
from payproof.errors import PayproofError, Reason, TargetStartError, record_fault
from payproof.session.ending import Terms
from payproof.session.interrupts import allow_interrupts, hold_interrupts
from payproof.session.run import MOST_SEED, EmbeddedStore, choose, open_session
from payproof.session.scenarios import all_scenarios
from payproof.session.telling import Choice, tell_run

__all__ = ["Lanes", "open_lanes"]

_END_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class _Lane:
    process: BaseProcess
    connection: Connection


class Lanes:
    """Several open sessions that share a run's cases; ``ledger`` knows every value that one of them registered."""

    def __init__(self, lanes: Sequence[_Lane], started: RunStarted) -> None:
        self.ledger = Ledger()
        self._lanes, self._started = lanes, started

    def run(self, choices: Sequence[Choice], terms: Terms | None = None) -> Iterator[RunEvent]:
        """Run cases and tell what happens."""
        results = self._results([case.id for _, case in choices])
        return tell_run(replace(self._started, cases=len(choices)), choices, lambda _: next(results), terms)

    def _results(self, ids: Sequence[str]) -> Iterator[CaseFinished]:
        """Yield what the cases came to, in their order; free lanes go ahead.

        Raises:
            PayproofError: a lane has ended.
        """
        left, done = iter(ids), dict[str, CaseFinished]()
        busy = {lane.connection: lane for lane in self._lanes if _hand_case(lane, left)}
        for id_ in ids:
            while id_ not in done:
                for connection in wait(list(busy)):
                    lane = busy.pop(connection)  # type: ignore[call-overload]  # a Connection, as was given
                    finished = _receive(lane)
                    done[finished.id] = finished
                    for entry in _receive(lane):
                        self.ledger.add(entry.kind, entry.label, entry.value, lasting=entry.lasting)
                    if _hand_case(lane, left):
                        busy[lane.connection] = lane
            yield done.pop(id_)


def _hand_case(lane: _Lane, left: Iterator[str]) -> bool:
    """Hand a lane the next case; return whether there was one."""
    id_ = next(left, None)
    if id_ is not None:
        lane.connection.send(id_)
    return id_ is not None


def _receive(lane: _Lane) -> Any:
    try:
        told = lane.connection.recv()
    except (EOFError, OSError):
        raise PayproofError("a process that runs cases has ended before it was done") from None
    if isinstance(told, PayproofError):
        raise told
    return told


@contextmanager
def open_lanes(
    number: int,
    *,
    seed: int | None = None,
    store: EmbeddedStore | None = None,
    operations: bool = True,
    fuzzing: bool = True,
    effort: float | None = None,
    own: Sequence[Path] = (),
) -> Iterator[Lanes]:
    """Start so many reference services, each in a process that runs cases on it, and end them.

    Raises:
        ConfigurationError: the reference service is not installed.
        PayproofError: a service did not start.
    """
    require_reference()
    seed = secrets.randbelow(MOST_SEED) if seed is None else seed
    given = {"seed": seed, "store": store, "operations": operations, "fuzzing": fuzzing, "effort": effort, "own": own}
    context = get_context("spawn")
    ensure_running()  # which would let Ctrl-C through again where it is started with a process
    lanes: list[_Lane] = []
    try:
        with hold_interrupts():
            for _ in range(number):
                lanes.append(_start_lane(context, given))
                with allow_interrupts():
                    pass
        started = [_receive(lane) for lane in lanes]
        yield Lanes(lanes, started[0])
    finally:
        for lane in lanes:
            lane.connection.close()
            lane.process.terminate()
        for lane in lanes:
            lane.process.join(_END_SECONDS)


def _start_lane(context: SpawnContext, given: Mapping[str, Any]) -> _Lane:
    """Start a process, to which Ctrl-C does not come before its own handlers stand: it would tell so by a traceback."""
    ours, theirs = context.Pipe()
    process = context.Process(target=_lane, args=(theirs, given))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    theirs.close()  # so that its end is seen here when the process is gone
    return _Lane(process, ours)


def _lane(connection: Connection, given: Mapping[str, Any]) -> None:
    """Run the cases that come in, until none comes any more; what goes back is a case and the values it registered."""
    # Ctrl-C in a terminal is for the process that tells what happens, which then ends this one, as SIGTERM does here.
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # forgets one that came meanwhile
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: signal.raise_signal(signal.SIGINT))
    choices = {case.id: (scenario, case) for scenario, case in choose(all_scenarios(given["own"]))}
    with suppress(KeyboardInterrupt, EOFError, BrokenPipeError, ConnectionResetError):
        try:
            with open_session(None, **given) as session:
                connection.send(session.make_header(0))
                known: set[bytes] = set()
                while True:
                    finished = session.judge_case(*choices[connection.recv()])
                    connection.send(finished)
                    registered = session.ledger.registered
                    connection.send([entry for value, entry in registered.items() if value not in known])
                    known.update(registered)
        except PayproofError as error:
            connection.send(TargetStartError(str(error)))
        except (KeyboardInterrupt, EOFError, BrokenPipeError, ConnectionResetError):
            raise
        except Exception as error:  # noqa: BLE001 (who runs the cases has to hear that it is a fault of ours)
            connection.send(PayproofError(f"{Reason.HARNESS_FAULT.value}: {record_fault(error)}"))
