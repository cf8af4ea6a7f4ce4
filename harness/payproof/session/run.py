"""Composition root: opens a target, runs cases, closes; yields what happens as events."""

import asyncio
import secrets
import shlex
import time
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from payproof import __version__
from payproof.adapters.clock import SystemClock
from payproof.adapters.commands import LocalCommands
from payproof.adapters.http import HttpSender
from payproof.adapters.instances import LocalInstances
from payproof.adapters.memory import ProcessMemory
from payproof.adapters.outages import LocalOutages
from payproof.adapters.reference import (
    REFERENCE_COMMAND,
    REFERENCE_UPSTREAM,
    EmbeddedStore,
    Reference,
    StripeAt,
    require_reference,
)
from payproof.adapters.writer import DatabaseWriter
from payproof.at_rest.leak_finder import LocalLeakFinder
from payproof.canary import Ledger
from payproof.domain.check import Check
from payproof.domain.events import CaseFinished, Record, RunEvent, RunStarted, Unwatched
from payproof.domain.finding import Finding, Severity
from payproof.domain.observation import Observation
from payproof.domain.operation import UpstreamSpec
from payproof.domain.scenario import Case, Scenario
from payproof.domain.source import Log, Store
from payproof.domain.step import Step
from payproof.domain.tables import Tables
from payproof.domain.target import Environment, SourceSpec, Target
from payproof.domain.verdict import Errored, Skipped, Verdict
from payproof.engine.equipment import Equipment
from payproof.engine.judge import find_passing, has_crashed, judge, refuse_without_effect, skip
from payproof.engine.runner import Runner
from payproof.engine.search_at_rest import SearchAtRest
from payproof.engine.trial import Trial
from payproof.errors import ConfigurationError, InconclusiveError, PayproofError, Reason, record_fault
from payproof.extras import install
from payproof.language import read_target
from payproof.registry import log_sources, nearest, store_sources, table_sources
from payproof.session.account import ApiAccount, open_account
from payproof.session.calibrating import DELIVERIES, find_named_types
from payproof.session.ending import Terms
from payproof.session.event_factory import event_factory
from payproof.session.flows import all_flows
from payproof.session.openapi import add_openapi
from payproof.session.scenarios import all_scenarios, refuse_unknown_rules, scenario_folders
from payproof.session.subjects import find_subject
from payproof.session.telling import Choice, tell_run
from payproof.session.upstream import OpenUpstream, open_upstream

__all__ = [
    "GIVEN",
    "MOST_SEED",
    "Choice",
    "EmbeddedStore",
    "Session",
    "asks_for_fuzzing",
    "asks_for_operations",
    "choose",
    "find_lacking",
    "open_session",
    "open_tables",
]

#: What gives a target that no file describes: the fixture of a test-suite.
GIVEN = "payproof_target"
_MANY = 50  # requests of a step beside the usual ones
#: What a made-up seed is below.
MOST_SEED = 2**32


def choose(
    scenarios: Sequence[Scenario],
    *,
    topics: Iterable[str] = (),
    ids: Iterable[str] = (),
    excluding: Iterable[str] = (),
    at_least: Severity = Severity.LOW,
) -> tuple[Choice, ...]:
    """Return the cases of the given topics, ids (``topic/name`` or ``topic/name[case]``) and severities, but for some.

    Those that send many requests come last: each look into a store takes longer for what they leave there.

    Raises:
        ConfigurationError: a topic or id that there is not, or one of which the other choices leave nothing.
    """
    cases = {case.id: (scenario, case) for scenario in scenarios for case in scenario.cases}
    whole = {scenario.id: scenario for scenario in scenarios}
    known_topics = {scenario.topic: scenario for scenario in scenarios}
    for topic in (topics := tuple(topics)):
        if topic not in known_topics:
            raise ConfigurationError(f"unknown topic {topic!r}", hint=nearest(topic, known_topics))
    ids, excluding = tuple(ids), tuple(excluding)
    for one in (*ids, *excluding):
        if one not in whole and one not in cases:
            known: Mapping[str, object] = cases if "[" in one else whole
            raise ConfigurationError(f"unknown scenario {one!r}", hint=nearest(one, known))
    chosen = tuple(
        (scenario, case)
        for scenario, case in cases.values()
        if (not topics or scenario.topic in topics)
        and (not ids or scenario.id in ids or case.id in ids)
        and scenario.severity.rank >= at_least.rank
        and scenario.id not in excluding
        and case.id not in excluding
    )
    _refuse_empty("topic", topics, {scenario.topic for scenario, _ in chosen})
    _refuse_empty("scenario", ids, {one for scenario, case in chosen for one in (scenario.id, case.id)})
    return tuple(sorted(chosen, key=lambda choice: _sends_many(choice[1])))


def _sends_many(case: Case) -> bool:
    return any(step.requests >= _MANY for step in case.phase.steps)


def _refuse_empty(kind: str, named: Iterable[str], left: Container[str]) -> None:
    """Refuse a topic or scenario that was asked for, and of which nothing would be run."""
    for one in named:
        if one not in left:
            raise ConfigurationError(
                f"nothing would be run of {kind} {one!r}: the other choices leave it out",
                hint="each scenario must be of a topic and of a severity that are chosen",
            )


def asks_for_operations(choices: Iterable[Choice]) -> bool:
    """Whether any of the cases asks for an operation of the target's, or as somebody who may or may not."""
    return any({"entitlement", "lockout", "upstream"} & {*case.needs} for _, case in choices)


def asks_for_fuzzing(choices: Iterable[Choice]) -> bool:
    """Whether any of the cases makes requests up, or makes use of the OpenAPI document otherwise."""
    return any(step.packages or step.reads_openapi for _, case in choices for step in case.phase.steps)


class Session:
    """An open target; runs cases on it one after another, from any thread that has no event loop of its own."""

    def __init__(
        self,
        target: Target,
        *,
        seed: int,
        ledger: Ledger,
        upstream: OpenUpstream | None = None,
        command: Sequence[str] = ("payproof", "run"),
        file: Path | str | None = None,
        fuzzing: bool = True,
        types: Iterable[str] = (),
    ) -> None:
        self.target, self.seed, self.ledger, self._file = target, seed, ledger, file
        self._types = frozenset(types)
        self._upstream, self._command = upstream, command
        self._loop = asyncio.Runner()
        self._resources = ExitStack()
        self._resources.callback(self._loop.close)
        for secret in target.secrets:
            self.ledger.add("secret", secret.label, secret.reveal().encode(), lasting=True)
        try:
            if fuzzing:
                self.target = self._loop.run(add_openapi(target, ledger))
            self._runner = self._loop.run(self._open())
        except BaseException:
            self.close()
            raise

    async def _open(self) -> Runner:
        stores: list[Store] = []
        for spec in self.target.stores:
            store = store_sources()[spec.url.partition(":")[0]](spec)
            self._resources.callback(self._close_resource, store)
            stores.append(store)
        logs: list[Log] = []
        for spec in self.target.logs:
            log = log_sources()[spec.url.partition(":")[0]](spec)
            self._resources.callback(self._close_resource, log)
            logs.append(log)
        # A user's target keeps what it has seen: a run that is repeated by its seed must not be a duplicate to it.
        events = event_factory(self.seed, "" if self._file is None else secrets.token_hex(8))
        # Refuses what is no API version, and no type in it, before anything is sent.
        types = events.types(self.target.webhook.api_version)
        for kept in self.target.contract.kept_rows:
            for type_ in (kept.event, *kept.stays):
                if type_ and type_ not in types:
                    problem = f"retention of {kept.table!r}: there are no events of type {type_!r}"
                    raise ConfigurationError(problem, hint=nearest(type_, list(types)))
        self.target = find_subject(self.target, open_tables)
        sender = HttpSender(self.target, self.ledger)
        self._resources.callback(self._close_resource, sender)
        finder = LocalLeakFinder(self.target.secrets)
        at_rest = SearchAtRest(self.target, open_tables=open_tables, finder=finder, ledger=self.ledger)
        self._resources.callback(at_rest.close)
        retention = self.target.retention
        account = open_account(self.target, None if self._upstream is None else self._upstream.backend, self.seed)
        if account is not None:
            self._resources.callback(self._close_resource, account)
        equipment = Equipment(
            sender=sender,
            events=events,
            ledger=self.ledger,
            clock=SystemClock(),
            at_rest=at_rest,
            commands=LocalCommands(),
            outages=LocalOutages(self.target.store_outage, self.target.store_faults),
            upstream=self._upstream,
            writer=None if retention is None or retention.writer is None else DatabaseWriter(retention.writer),
            instances=None if self.target.process is None else LocalInstances(self.target, self.ledger),
            memory=ProcessMemory(self.target.url),
            account=account,
            flows=all_flows(),
        )
        runner = Runner(self.target, equipment, stores=stores, logs=logs, seed=self.seed)
        await runner.make_subject()
        await runner.meet(self._types, DELIVERIES)
        self.target = runner.target
        return runner

    def _close_resource(self, resource: Store | Log | HttpSender | ApiAccount) -> None:
        # A run that was interrupted just as it ended has left its end behind, which would stop the next one at once.
        loop = self._loop.get_loop()
        loop.call_soon(loop.stop)
        loop.run_forever()
        self._loop.run(resource.close())

    def close(self) -> None:
        """Let go of everything."""
        self._resources.close()

    def judge_case(self, scenario: Scenario, case: Case) -> CaseFinished:
        """Run one case and judge it."""
        started = time.perf_counter()
        self._learn(case)
        verdict: Verdict | None = skip(self.target, scenario, case) or find_lacking(case)
        if self._runner.refusal and (scenario.control is not None or not self._runner.is_refused_by_age):
            verdict = verdict or Errored(Reason.REFUSED, self._runner.refusal)
        verdict = verdict or refuse_without_effect(self.target, scenario, case)
        record, passing = Record(), tuple[Finding, ...]()
        if verdict is None:
            try:
                record = self._loop.run(self._runner.run(scenario, case))
                verdict = judge(self.target.contract, scenario, case, record)
                passing = find_passing(self.target.contract, scenario, case, record)
            except Exception as error:  # noqa: BLE001 (our own fault ends one case; its text could hold anything)
                verdict = Errored(Reason.HARNESS_FAULT, record_fault(error))
        finished = CaseFinished(
            id=case.id,
            title=scenario.title,
            severity=Severity.CRITICAL if has_crashed(record) else scenario.severity,
            verdict=verdict,
            record=record,
            seconds=time.perf_counter() - started,
            repeat=self.repeat(case.id),
            passing=passing,
            requirements=tuple(one.id for one in scenario.requirements),
            follows_from=scenario.follows_from,
            remedy=scenario.remedy,
        )
        told, found = self.ledger.mask_strings(finished)
        masked = dict.fromkeys(f"{one.kind} ({one.label})" for one in found)
        return replace(told, masked=tuple(masked)) if masked else told

    def require_acceptance(self, *, of_any_age: bool = False) -> None:
        """Return where the target has taken a genuine event signed now (or ``of_any_age``), or has failed at it.

        Raises:
            InconclusiveError: it refuses them all, with the likely cause.
        """
        if self._runner.refusal and not (of_any_age and self._runner.is_refused_by_age):
            raise InconclusiveError(Reason.REFUSED, self._runner.refusal)

    @property
    def taken_version(self) -> str:
        """The API version of whose events the target takes some, where it refuses those of its file's version."""
        return self._runner.taken_version

    def _learn(self, case: Case) -> None:
        """Find out what the target does with the types of events that a case names, where nobody has said it."""
        if self._runner.refusal:
            return
        with _own_faults():
            self._loop.run(self._runner.learn(find_named_types([case]), DELIVERIES))
        self.target = self._runner.target

    def trial(self, key: str) -> Trial:
        """Begin steps of a user's own test.

        Raises:
            ConfigurationError: the target is production, where nothing runs that changes something.
        """
        if self.target.environment is Environment.PRODUCTION:
            raise ConfigurationError(
                f"{self.target.name} is production: nothing is delivered there", hint="give a staging system"
            )
        return self._runner.trial(key)

    def act(self, trial: Trial, step: Step) -> None:
        """Run one step of a trial."""
        with _own_faults():
            self._loop.run(trial.act(step))

    def look(self, trial: Trial, expect: Iterable[Check]) -> None:
        """Look into every source, waiting for what the checks wait for."""
        with _own_faults():
            self._loop.run(trial.look(expect))

    @property
    def marker(self) -> tuple[Observation, ...]:
        """What was answered to the genuine delivery at the start; nothing on production."""
        return self._runner.marker

    @property
    def unwatched(self) -> tuple[Unwatched, ...]:
        """The sources in which that delivery left no trace, so that their silence means nothing."""
        return self._runner.unwatched

    def repeat(self, id_: str) -> str:
        """Return the command that runs one case again, the same way."""
        return shlex.join([*self._command, "--scenario", id_, "--seed", str(self.seed)])

    def make_header(self, cases: int) -> RunStarted:
        """Return the run's header."""
        return RunStarted(
            version=__version__,
            target=self.target.name,
            url="" if self._file is None else self.target.url,
            file="" if self._file is None else str(self._file),
            environment=self.target.environment.value,
            seed=self.seed,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            cases=cases,
            stores=tuple(spec.name for spec in self.target.stores),
            logs=tuple(spec.name for spec in self.target.logs),
            contract=self.target.contract,
            files=tuple(spec.name for spec in self.target.files),
            calibration=self.target.calibration,
            control=self.target.control,
        )

    def run(self, choices: Sequence[Choice], terms: Terms | None = None) -> Iterator[RunEvent]:
        """Run cases and tell what happens."""
        return tell_run(self.make_header(len(choices)), choices, lambda one: self.judge_case(*one), terms)


@contextmanager
def _own_faults() -> Iterator[None]:
    """Tell a fault of our own by its type and place: its text, and what its frames hold, could be anything."""
    try:
        yield
    except PayproofError:
        raise
    except Exception as error:  # noqa: BLE001 (see above)
        raise InconclusiveError(Reason.HARNESS_FAULT, record_fault(error)) from None


def open_tables(spec: SourceSpec) -> Tables:
    """Open a store to read it whole.

    Raises:
        InconclusiveError: it cannot be opened.
    """
    scheme = spec.url.partition(":")[0]
    known = table_sources()
    if scheme not in known:
        raise InconclusiveError(Reason.SOURCE_UNREADABLE, f"store {spec.name}: {scheme} cannot be read whole")
    try:
        return known[scheme](spec)
    except ConfigurationError as error:
        raise InconclusiveError(Reason.SOURCE_UNREADABLE, str(error)) from None


def find_lacking(case: Case) -> Skipped | None:
    """Return that a case needs packages which are not installed, if it does."""
    wanted = {package for step in case.phase.steps for package in step.packages}
    missing = sorted(package for package in wanted if find_spec(package) is None)
    how = install("fuzz")
    return Skipped(f"{' and '.join(missing)} not installed: {how}", (how,)) if missing else None


@contextmanager
def open_session(
    chosen: Path | Target | None,
    *,
    seed: int | None = None,
    shared: bool = False,
    reference: Sequence[str] = REFERENCE_COMMAND,
    store: EmbeddedStore | None = None,
    operations: bool = True,
    fuzzing: bool = True,
    effort: float | None = None,
    types: Iterable[str] = (),
    afresh: bool = False,
    own: Sequence[Path] = (),
) -> Iterator[Session]:
    """Open a target, that of a file or as a test-suite gives it, or the reference service, and close it at the end.

    ``operations`` says that operations of the reference service will be asked for, for which it gives access first, and
    ``fuzzing`` that requests will be made up, for which the target's OpenAPI document is read where there is one.
    ``shared`` says that other sessions act on the same target at the same time, so that only rows with this session's
    own ids are judged. ``store`` is the database of the reference service, SQLite unless said otherwise. ``effort`` is
    how many times as many requests as usual are made up, in place of what the target file says. ``types`` are the types
    of events of which has to be known what the target does with them. ``afresh`` finds that out of all types, whatever
    the target file says. ``own`` are folders of scenarios that were named beside the
    target file, for the commands that repeat a case.

    Raises:
        ConfigurationError: the target file or the OpenAPI document is wrong, a store is chosen for a target that has
            its own, or the reference service is not installed.
        TargetStartError: the reference service did not start.
        InconclusiveError: the target gives no answer at all.
    """
    seed, ledger, listening = secrets.randbelow(MOST_SEED) if seed is None else seed, Ledger(), None
    with ExitStack() as stack:

        def listen(spec: UpstreamSpec, api_version: str) -> OpenUpstream:
            return stack.enter_context(open_upstream(spec, ledger=ledger, api_version=api_version, seed=seed))

        target_file: Path | str | None = GIVEN if isinstance(chosen, Target) else chosen
        if chosen is None:
            require_reference()
            api_version = event_factory(0).versions()[-1]
            listening = listen(REFERENCE_UPSTREAM, api_version)
            stripe = StripeAt(listening.url, listening.ca_file)
            service = Reference(api_version, stripe, reference, store or "sqlite", operations=operations, owner=fuzzing)
            target = stack.enter_context(service).target
            command: tuple[str, ...] = ("payproof", "run", "--reference", *(("--store", store) if store else ()))
        elif store is not None:
            raise ConfigurationError(
                "the store is chosen for the reference service only", hint="a target file names its own in [[stores]]"
            )
        else:
            target = chosen if isinstance(chosen, Target) else read_target(chosen)
            if changes := target.contract.severities:
                folders = scenario_folders(own, None if isinstance(chosen, Target) else chosen)
                refuse_unknown_rules(changes, all_scenarios(folders), target_file)
            if afresh:
                types = event_factory(0).types(target.webhook.api_version)
                target = replace(target, control=None, contract=replace(target.contract, handles=None))
            if shared:
                target = replace(target, stores=tuple(replace(store, busy=True) for store in target.stores))
            if target.upstream is not None:
                if shared:
                    problem = "several workers cannot listen at the address of one [upstream]"
                    raise ConfigurationError(problem, hint="run without -n", file=target_file)
                listening = listen(target.upstream, target.webhook.api_version)
            command = ("payproof", "run", "--target", str(target_file))
        if effort is not None:
            target = replace(target, budget=replace(target.budget, effort=effort))
            command += ("--fuzz-effort", f"{effort:g}")
        command += tuple(word for folder in own for word in ("--scenarios", str(folder)))
        session = Session(
            target,
            seed=seed,
            ledger=ledger,
            upstream=listening,
            command=command,
            file=target_file,
            fuzzing=fuzzing,
            types=types,
        )
        stack.callback(session.close)
        yield session
