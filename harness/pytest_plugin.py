"""The pytest plugin: ``--payproof-target FILE`` collects the scenarios; the fixture ``payproof`` serves own tests.

Without one of its options it adds nothing to a run but the fixture, which then says what it lacks.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from secrets import randbelow
from typing import Any, get_args

import pytest

from harness.domain.events import CaseFinished
from harness.domain.finding import Severity
from harness.domain.verdict import Errored, ExitCode, Failed, Passed, Skipped
from harness.errors import ConfigurationError, PayproofError
from harness.language import read_target
from harness.reporters.words import masked, story, summary
from harness.session import (
    Choice,
    EmbeddedStore,
    Session,
    all_scenarios,
    asks_for_fuzzing,
    asks_for_operations,
    choose,
    open_session,
)
from harness.testing import Payproof

__all__ = ["payproof"]

_opened = pytest.StashKey["_Opened"]()
_PROPERTY = "payproof"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("payproof", "Payproof: payment data safety of a Stripe billing integration")
    group.addoption("--payproof-target", metavar="FILE", help="target file: collect the scenarios and run them on it")
    group.addoption(
        "--payproof-reference", action="store_true", help="collect the scenarios and run them on the reference service"
    )
    group.addoption(
        "--payproof-store",
        choices=get_args(EmbeddedStore),
        help="with --payproof-reference: database of the reference service, SQLite without it",
    )
    group.addoption("--payproof-topic", action="append", default=[], metavar="TOPIC", help="only this topic")
    group.addoption("--payproof-seed", type=int, metavar="N", help="repeat the run that showed this seed")


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and refuse a wrong target file before anything runs."""
    config.addinivalue_line("markers", "payproof: a scenario of Payproof")
    for severity in Severity:
        config.addinivalue_line("markers", f"{severity}: a scenario of Payproof of this severity")
    for topic in sorted({scenario.topic for scenario in all_scenarios()} if _asked(config) else ()):
        config.addinivalue_line("markers", f"{topic}: a scenario of Payproof of this topic")
    _refuse_wrong_options(config)
    opened = config.stash[_opened] = _Opened(config)
    config.pluginmanager.register(opened, "payproof-opened")


def _refuse_wrong_options(config: pytest.Config) -> None:
    file = config.getoption("payproof_target")
    if file and config.getoption("payproof_reference"):
        raise pytest.UsageError("payproof: --payproof-target and --payproof-reference exclude each other")
    if config.getoption("payproof_store") and not config.getoption("payproof_reference"):
        raise pytest.UsageError("payproof: --payproof-store needs --payproof-reference")
    try:
        if _asked(config):
            choose(all_scenarios(), topics=config.getoption("payproof_topic"))
        if file:
            read_target(Path(file))
    except ConfigurationError as error:
        raise pytest.UsageError(f"payproof: {error}") from None


def pytest_unconfigure(config: pytest.Config) -> None:
    """Let go of the target."""
    if _opened in config.stash:
        config.stash[_opened].close()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Name the target and the seed."""
    if not _asked(config):
        return None
    return f"payproof: {config.getoption('payproof_target') or 'reference service'}, seed {config.stash[_opened].seed}"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the seed to a worker of pytest-xdist."""
    node.workerinput["payproof_seed"] = node.config.stash[_opened].seed


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the scenarios' cases, before ``-k`` and ``-m`` choose."""
    if not _asked(config):
        return
    choices = choose(all_scenarios(), topics=config.getoption("payproof_topic"))
    items.extend(
        CaseItem.from_parent(session, name=choice[1].id, nodeid=choice[1].id, choice=choice) for choice in choices
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    """Note which cases are left to run."""
    if _asked(session.config):
        session.config.stash[_opened].chosen = [item.choice for item in session.items if isinstance(item, CaseItem)]


class CaseItem(pytest.Item):
    """One case of a scenario."""

    def __init__(self, *, choice: Choice, **rest: Any) -> None:
        super().__init__(**rest)
        self.choice = choice
        scenario, _ = choice
        for marker in ("payproof", scenario.severity.value, scenario.topic):
            self.add_marker(marker)

    def runtest(self) -> None:
        """Run the case; its verdict becomes pytest's."""
        try:
            session = self.config.stash[_opened].session()
        except PayproofError as error:
            self.user_properties.append((_PROPERTY, _kind_of(error)))
            raise
        finished = session.judged(*self.choice)
        advised = isinstance(finished.verdict, Failed) and finished.verdict.advised
        self.user_properties.append((_PROPERTY, "advised" if advised else finished.verdict.kind))
        match finished.verdict:
            case Passed():
                pass
            case Skipped(why=why):
                pytest.skip(why)
            case Failed(advised=True):
                pytest.xfail(f"advice not kept: {summary(finished.verdict)}")
            case Failed() | Errored():
                raise _NotHeldError(finished)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Tell what was sent, expected and seen; never a traceback through values that must not be shown."""
        error = excinfo.value
        if isinstance(error, _NotHeldError):
            return _told(error.finished)
        if isinstance(error, PayproofError):
            return str(error)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, None, str]:
        """Name the scenario's file."""
        return self.choice[0].place, None, self.name


def _kind_of(error: PayproofError) -> str:
    """Return what a target that cannot be opened counts as."""
    return "misconfigured" if isinstance(error, ConfigurationError) else "errored"


class _NotHeldError(Exception):
    def __init__(self, finished: CaseFinished) -> None:
        super().__init__(finished.id)
        self.finished = finished


def _told(finished: CaseFinished) -> str:
    lines = [f"{finished.verdict.kind} ({finished.severity}): {finished.title}"]
    if isinstance(finished.verdict, Failed):
        for finding in finished.verdict.findings:
            lines += [f"  expected  {finding.expected}", f"  seen      {finding.seen} ({finding.check})"]
    else:
        lines.append(f"  {summary(finished.verdict)}")
    lines += [f"  {line}" for line in (*story(finished.record), *filter(None, [masked(finished)]))]
    return "\n".join([*lines, f"  repeat    {finished.repeat}"])


class _Opened:
    """The target of a pytest run: opened for the first case or test that needs it, and what its cases came to."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._resources = ExitStack()
        self._session: Session | None = None
        self._refused: PayproofError | None = None
        self.kinds: Counter[str] = Counter()
        self.chosen: list[Choice] = []
        workers: dict[str, Any] = getattr(config, "workerinput", {})
        given = config.getoption("payproof_seed")
        # Workers of pytest-xdist share the seed that the controller has made up.
        self.seed: int = workers["payproof_seed"] if workers else randbelow(2**32) if given is None else given
        self._shared = bool(workers) and workers["workercount"] > 1

    def session(self) -> Session:
        """Return the open target.

        Raises:
            PayproofError: it cannot be opened; the second call says the same without trying again.
        """
        if self._refused is not None:
            raise self._refused
        if self._session is None:
            file = self._config.getoption("payproof_target")
            try:
                self._session = self._resources.enter_context(
                    open_session(
                        file and Path(file),
                        seed=self.seed,
                        shared=self._shared,
                        store=self._config.getoption("payproof_store"),
                        operations=asks_for_operations(self.chosen),
                        fuzzing=asks_for_fuzzing(self.chosen),
                    )
                )
            except PayproofError as error:
                self._refused = error
                raise
        return self._session

    def close(self) -> None:
        """Let go of the target."""
        self._resources.close()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count how cases and other tests ended; with pytest-xdist this is the controller's count of all workers."""
        verdict = dict(report.user_properties).get(_PROPERTY)
        if verdict is not None and (report.when == "call" or report.failed):
            self.kinds[str(verdict)] += 1
        elif verdict is None and (report.when == "call" or report.failed):
            self.kinds[f"other {report.outcome}"] += 1


def _asked(config: pytest.Config) -> bool:
    return bool(config.getoption("payproof_target") or config.getoption("payproof_reference"))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Give pytest's exit status Payproof's meaning: 3 where nothing broke but something is unknown, 5 for no proof."""
    kinds = session.config.stash[_opened].kinds
    if exitstatus == ExitCode.BROKEN and not kinds["failed"] and not kinds["other failed"]:
        if kinds["misconfigured"]:
            session.exitstatus = ExitCode.USAGE
        elif kinds["errored"]:
            session.exitstatus = ExitCode.UNKNOWN
    proven = sum(kinds[kind] for kind in ("passed", "failed", "advised", "errored", "misconfigured", "other passed"))
    if exitstatus == ExitCode.HELD and kinds["skipped"] and not proven:
        session.exitstatus = ExitCode.NOTHING_RAN


@pytest.fixture
def payproof(request: pytest.FixtureRequest) -> Iterator[Payproof]:
    """Deliver events to the target and judge what they do, in tests of your own.

    Needs ``--payproof-target FILE`` or ``--payproof-reference``.
    """
    if not _asked(request.config):
        pytest.fail("the fixture 'payproof' needs --payproof-target FILE or --payproof-reference", pytrace=False)
    try:
        session = request.config.stash[_opened].session()
    except PayproofError as error:
        request.node.user_properties.append((_PROPERTY, _kind_of(error)))
        pytest.fail(str(error), pytrace=False)
    yield Payproof(session, request.node.nodeid)
    session.ledger.forget()
