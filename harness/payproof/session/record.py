"""Judges a recorded run again, so that a newer check can be tried on what was observed before."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from payproof.domain.documents import read_json
from payproof.domain.events import CaseFinished, Record, RunEvent, RunFinished, RunStarted
from payproof.domain.scenario import Case, Scenario
from payproof.domain.strings import strings_of
from payproof.domain.target import Contract
from payproof.domain.verdict import ExitCode
from payproof.engine.judge import find_passing, judge
from payproof.errors import ConfigurationError
from payproof.language import decode_event
from payproof.registry import nearest
from payproof.session.ending import Terms, end_run
from payproof.session.scenarios import all_scenarios

__all__ = ["rejudge"]

_WRITES_ONE = "`payproof run --report FILE.jsonl` writes one"


def rejudge(path: Path, own: Sequence[Path] = (), terms: Terms | None = None) -> Iterator[RunEvent]:
    """Yield the events of a run record with verdicts made anew from its observations.

    ``own`` are folders of the user's scenarios that were run beside those of Payproof.

    Raises:
        ConfigurationError: the file cannot be read, is no run record, was cut short, or names unknown cases.
    """
    header, *cases, footer = _events(path)
    assert isinstance(header, RunStarted)
    assert isinstance(footer, RunFinished)
    known = {case.id: (scenario, case) for scenario in all_scenarios(own) for case in scenario.cases}
    judged: list[CaseFinished] = []
    yield header
    for line, event in enumerate(cases, 2):
        assert isinstance(event, CaseFinished)
        if event.id not in known:
            hint = f"{nearest(event.id, known)}; scenarios of your own are named with --scenarios DIR"
            raise ConfigurationError(f"no case {event.id!r} in this version", hint=hint, file=path, line=line)
        judged.append(_judge_anew(event, header.contract, *known[event.id]))
        yield judged[-1]
    interrupted = footer.exit_code is ExitCode.INTERRUPTED
    yield from end_run(header.contract, judged, footer.seconds, terms, interrupted=interrupted, unrun=footer.unrun)


def _judge_anew(event: CaseFinished, contract: Contract, scenario: Scenario, case: Case) -> CaseFinished:
    """Return a case with what its observations say now; without any it was skipped, or ended by our own fault."""
    if event.record == Record():
        return event
    given = (contract, scenario, case, event.record)
    return replace(event, verdict=judge(*given), passing=find_passing(*given))


def _events(path: Path) -> list[RunEvent]:
    try:
        lines = path.read_bytes().decode("utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigurationError(f"the run record cannot be read: {reason}", hint=_WRITES_ONE, file=path) from None
    events: list[RunEvent] = []
    for number, line in enumerate(lines, 1):
        try:
            content = read_json(line)
        except ValueError:
            if number == 1 and line:
                raise ConfigurationError("no run record", hint=_WRITES_ONE, file=path) from None
            raise ConfigurationError("not JSON; the record was cut short or edited", file=path, line=number) from None
        event = decode_event(content, str(path), number)
        if any("\ud800" <= character <= "\udfff" for text in strings_of(event) for character in text):
            raise ConfigurationError("a text in it is no Unicode", file=path, line=number)
        events.append(event)
    _require_whole(events, path)
    return events


def _require_whole(events: Sequence[RunEvent], path: Path) -> None:
    shape = [type(event) for event in events]
    if shape[:1] != [RunStarted] or shape[-1:] != [RunFinished] or set(shape[1:-1]) - {CaseFinished}:
        raise ConfigurationError(
            "a run record has one header, then cases, then one footer", hint="this one was cut short", file=path
        )
    header, *cases, footer = events
    assert isinstance(header, RunStarted)
    assert isinstance(footer, RunFinished)
    counted, unrun, said = sum(footer.counts.values()), footer.unrun, ""
    times = Counter(one.id for one in cases if isinstance(one, CaseFinished))
    if len(times) < len(cases):
        said = f"the case {times.most_common(1)[0][0]!r} stands twice in it"
    elif counted != len(cases):
        said = f"the footer counts {counted} cases, the record holds {len(cases)}"
    elif header.cases != len(cases) + unrun:
        said = f"the header announces {header.cases} cases, the record holds {len(cases)} and {unrun} did not run"
    if said:
        raise ConfigurationError(said, hint="lines were taken out or added", file=path)
