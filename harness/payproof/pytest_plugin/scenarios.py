"""The scenarios' cases as tests of pytest, in a run that asks for them."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from _pytest._code.code import ReprExceptionInfo, ReprFileLocation, ReprTracebackNative, TerminalRepr

from payproof import pytest_plugin
from payproof.domain.events import CaseFinished
from payproof.domain.finding import Severity
from payproof.domain.problem import JudgedProblem, ProblemStatus
from payproof.domain.scenario import Scenario
from payproof.domain.verdict import Errored, Failed, Passed, Skipped
from payproof.engine.accepting import judge_problems
from payproof.engine.folding import fold_findings
from payproof.errors import ConfigurationError, PayproofError
from payproof.pytest_plugin import FOUND, JUDGED, VERDICT
from payproof.pytest_plugin.case_ids import AskedCases, shown_from_here, take_ids
from payproof.pytest_plugin.targets import kind_of, prepare_targets
from payproof.reporters.phrasing import describe_masking, one_line, story, summary
from payproof.reporters.problem_text import describe_problem, tell_title
from payproof.scan.kernel import unusable
from payproof.session import GIVEN, Choice, all_scenarios, choose

__all__ = ["CaseItem", "GivenCaseItem", "collect_scenarios"]


def collect_scenarios(config: pytest.Config) -> None:
    """Register the markers and what collects, and refuse a wrong target file or topic before anything runs.

    Raises:
        UsageError: a wrong target file or topic, or a run without pytest's terminal reporter, which counts cases.
    """
    targets = prepare_targets(config)
    if not config.pluginmanager.hasplugin("terminal") and not hasattr(config, "workerinput"):
        raise pytest.UsageError("payproof: the exit code is made of what pytest's terminal reporter has counted")
    try:
        scenarios = all_scenarios(targets.folders())
        asked = take_ids(config, scenarios)
        choices = choose(scenarios, topics=config.getoption("payproof_topic"), ids=asked.ids)
        _ = targets.accepted
        if targets.explicit:
            _ = targets.found.judged
    except ConfigurationError as error:
        raise pytest.UsageError(f"payproof: {error}") from None
    config.addinivalue_line("markers", "payproof: a scenario of Payproof")
    for severity in Severity:
        config.addinivalue_line("markers", f"payproof_{severity}: a scenario of Payproof of this severity")
    for topic in sorted({scenario.topic for scenario in scenarios}):
        config.addinivalue_line("markers", f"payproof_{topic}: a scenario of Payproof of this topic")
    config.pluginmanager.register(_Scenarios(config, choices, asked), "payproof-scenarios")


class _Scenarios:
    """Adds the cases to what pytest has collected."""

    def __init__(self, config: pytest.Config, choices: tuple[Choice, ...], asked: AskedCases) -> None:
        self._config, self._choices, self._targets = config, choices, prepare_targets(config)
        self._asked = asked
        self._folders: dict[Path, pytest.Collector] = {}

    def pytest_report_header(self) -> str:
        """Say what is judged, and with which seed it can be repeated."""
        why = unusable()
        return self._header() + (f"\npayproof: {why}; NumPy searches in its place, more slowly" if why else "")

    def _header(self) -> str:
        if _overriding(self._config) and not self._targets.explicit:
            return f"payproof: judges what the fixture {GIVEN} gives; seed {self._targets.seed}"
        try:
            return f"payproof: judges {self._targets.found.judged}"
        except ConfigurationError:
            return f"payproof: seed {self._targets.seed}"  # told when all that could give a target is collected

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the seed to a worker of pytest-xdist."""
        node.workerinput["payproof_seed"] = self._targets.seed

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Leave out the user's own tests, and import none, where only cases were named."""
        ours = self._asked.alone and collection_path.is_file() and collection_path.name != "conftest.py"
        return True if ours else None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> None:
        """Note where in the tree of tests a conftest.py stands: its fixtures are those of that place."""
        if file_path.name == "conftest.py":
            self._folders.setdefault(file_path, parent)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add the cases, before ``-k`` and ``-m`` choose."""
        tests = len(items)
        places = [] if self._targets.explicit else [*self._places(session)]
        for place in places:
            items.extend(self._given_cases(place))
        if not places:
            try:
                _ = self._targets.found.judged
            except ConfigurationError as error:
                if not hasattr(self._config, "workerinput"):  # in a worker of pytest-xdist each case says so
                    raise pytest.UsageError(f"payproof: {error}") from None
            items.extend(
                CaseItem.from_parent(session, name=choice[1].id, nodeid=choice[1].id, choice=choice)
                for choice in self._choices
                if self._asked.has(choice, choice[1].id)
            )
        # Reporters count what is collected, and a case is collected by no file.
        session.ihook.pytest_collectreport(report=pytest.CollectReport("payproof", "passed", None, [*items[tests:]]))

    def _places(self, session: pytest.Session) -> Iterator[pytest.Module]:
        """Yield a module beside each conftest.py that overrides the fixture, or at the root where a plugin does."""
        for file in _overriding(self._config):
            parent = self._folders.get(file)
            if parent is None and self._config.rootpath.is_relative_to(file.parent):
                parent = session  # a plugin's fixtures, and those of the root's conftest.py, are everybody's
            if parent is not None:
                module = pytest.Module.from_parent(parent, path=file, name=file.name)
                module.obj = ModuleType(file.stem)
                module.obj.payproof_case = _ask_for_target
                yield module

    def _given_cases(self, module: pytest.Module) -> Iterator["GivenCaseItem"]:
        """Yield the cases, for each parameter of the fixture."""
        for asked in module.collect():
            parameters = getattr(asked, "callspec", None)
            for choice in self._choices:
                id_ = choice[1].id
                name = id_ if parameters is None else f"{id_}[{parameters.id}]"
                made = {"callobj": _ask_for_target, "callspec": parameters, "originalname": id_}
                item: GivenCaseItem = GivenCaseItem.from_parent(module, name=name, **made)
                item.take(choice)
                if self._asked.has(choice, item.nodeid):
                    yield item

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which cases are left to run."""
        self._targets.chosen = [item.choice for item in session.items if isinstance(item, CaseItem | GivenCaseItem)]


def _overriding(config: pytest.Config) -> list[Path]:
    """Return the files that define the fixture anew: those of each conftest.py, and else those of plugins."""
    plugins = {one for one in config.pluginmanager.get_plugins() if isinstance(one, ModuleType)} - {pytest_plugin}
    files = sorted(Path(one.__file__) for one in plugins if GIVEN in vars(one) and one.__file__)
    return [file for file in files if file.name == "conftest.py"] or files[:1]


def _ask_for_target(payproof_target: object) -> None:
    """Have pytest resolve the fixture for a case; the case itself is run by its item."""


_ask_for_target.__test__ = True  # type: ignore[attr-defined]  # whatever names the project's tests have


class _RunsCase(pytest.Item):
    """One case of a scenario."""

    choice: Choice

    def take(self, choice: Choice) -> None:
        """Become a case of a scenario."""
        self.choice = choice
        for marker in _markers(choice[0]):
            self.add_marker(marker)

    def given(self) -> object:
        """Return what describes the target."""
        return FOUND

    def repeat(self, finished: CaseFinished, seed: int) -> CaseFinished:  # noqa: ARG002 (for those that override it)
        """Return the case with the command that repeats it."""
        return finished

    def runtest(self) -> None:
        """Run the case; its verdict becomes pytest's."""
        try:
            target = prepare_targets(self.config).of(self.given())
            session = target.session()
            self.user_properties.append((JUDGED, target.judged))
        except PayproofError as error:
            self.user_properties.append((VERDICT, kind_of(error)))
            raise
        finished = self.repeat(session.judge_case(*self.choice), session.seed)
        accepted, today = prepare_targets(self.config).accepted, datetime.now(UTC).date()
        problems = judge_problems(fold_findings(session.target.contract, [finished]), accepted, today)
        new = [one for one in problems if one.status is ProblemStatus.NEW]
        kind = "failed" if new else "advised" if isinstance(finished.verdict, Failed) else finished.verdict.kind
        self.user_properties.append((VERDICT, kind))
        match finished.verdict:
            case _ if new:
                raise _ProblemsSeenError(finished, target.take_new(new))
            case Passed():
                pass
            case Skipped(why=why):
                pytest.skip(why)
            case Failed(advised=True):
                pytest.xfail(f"advice not kept: {summary(finished.verdict)}")
            case Failed():
                pytest.xfail(f"accepted: {'; '.join(map(tell_title, problems))}")
            case Errored():
                raise _ProblemsSeenError(finished, ())

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str | TerminalRepr:  # noqa: ARG002 (Item has it)
        """Tell what was sent, expected and seen; never a traceback through values that must not be shown."""
        match excinfo.value:
            case _ProblemsSeenError() as error:
                told = _describe_case(error.finished, error.problems)
            case PayproofError() as error:
                told = str(error)
            case _:
                return super().repr_failure(excinfo)
        # In CI pytest's summary, and JUnit's message everywhere, repeat all of a text, but of this its first line.
        first = ReprFileLocation(self.choice[0].place, 0, told.partition("\n")[0])
        return ReprExceptionInfo(ReprTracebackNative([told + "\n"]), first)

    def reportinfo(self) -> tuple[str, None, str]:
        """Name the scenario's file."""
        return self.choice[0].place, None, self.name


class CaseItem(_RunsCase):
    """A case on the target of a file, or on the reference service."""

    def __init__(self, *, choice: Choice, **rest: Any) -> None:
        super().__init__(**rest)
        self.take(choice)


class GivenCaseItem(_RunsCase, pytest.Function):
    """A case on the target that the fixture ``payproof_target`` gives, with all fixtures that this one asks for."""

    def given(self) -> object:
        """Return what the fixture has given."""
        return self.funcargs[GIVEN]

    def repeat(self, finished: CaseFinished, seed: int) -> CaseFinished:
        """Return the case with the command that repeats it: only pytest has the target."""
        command = ["pytest", "--payproof", "--payproof-seed", str(seed), shown_from_here(self.config, self.nodeid)]
        return replace(finished, repeat=shlex.join(command))


def _markers(scenario: Scenario) -> tuple[str, ...]:
    return "payproof", f"payproof_{scenario.severity}", f"payproof_{scenario.topic}"


class _ProblemsSeenError(Exception):
    """A case that fails: its problems, each with whether an item before has told it in full."""

    def __init__(self, finished: CaseFinished, problems: Sequence[tuple[JudgedProblem, bool]]) -> None:
        super().__init__(finished.id)
        self.finished, self.problems = finished, problems


def _describe_case(finished: CaseFinished, problems: Sequence[tuple[JudgedProblem, bool]]) -> str:
    """Return what a case saw: a problem at length where it is the first of its run to see it, else in one line."""
    if not problems:
        lines = [f"{finished.verdict.kind}: {finished.title}", f"  {summary(finished.verdict)}"]
    else:
        names = "; ".join(f"{one.problem.title} ({one.problem.spot})" for one, _ in problems)
        kind = finished.verdict.kind
        own = {"failed": "broken", "passed": "held; in passing"}.get(kind, f"{kind}; in passing")
        lines = [one_line(f"{own}: {names}")]
    for one, is_told in problems:
        lines.append(f"  {tell_title(one)}")
        lines += ["  told in full by an item before"] if is_told else [f"    {line}" for line in describe_problem(one)]
    is_whole = not all(is_told for _, is_told in problems)  # it then names the command that repeats it
    if is_whole or not problems:
        lines += [f"  {line}" for line in story(finished.record)]
    lines += [f"  {line}" for line in filter(None, [describe_masking(finished)])]
    return "\n".join([*lines, *([] if is_whole else [f"  again     {finished.repeat}"])])
