"""The scenarios' cases as tests of pytest, in a run that asks for them."""

from typing import Any

import pytest

from payproof.domain.events import CaseFinished
from payproof.domain.finding import Severity
from payproof.domain.scenario import Scenario
from payproof.domain.verdict import Errored, Failed, Passed, Skipped
from payproof.errors import ConfigurationError, PayproofError
from payproof.pytest_plugin import JUDGED, VERDICT
from payproof.pytest_plugin.targets import kind_of, prepare_target
from payproof.reporters.phrasing import describe_masking, story, summary
from payproof.scan.kernel import unusable
from payproof.session import Choice, all_scenarios, choose

__all__ = ["CaseItem", "collect_scenarios"]


def collect_scenarios(config: pytest.Config) -> None:
    """Register the markers and what collects, and refuse a wrong target file or topic before anything runs.

    Raises:
        UsageError: a wrong target file or topic, or a run without pytest's terminal reporter, which counts cases.
    """
    scenarios = all_scenarios()
    config.addinivalue_line("markers", "payproof: a scenario of Payproof")
    for severity in Severity:
        config.addinivalue_line("markers", f"payproof_{severity}: a scenario of Payproof of this severity")
    for topic in sorted({scenario.topic for scenario in scenarios}):
        config.addinivalue_line("markers", f"payproof_{topic}: a scenario of Payproof of this topic")
    if not config.pluginmanager.hasplugin("terminal") and not hasattr(config, "workerinput"):
        raise pytest.UsageError("payproof: the exit code is made of what pytest's terminal reporter has counted")
    try:
        choices = choose(scenarios, topics=config.getoption("payproof_topic"))
        header = prepare_target(config).judged
    except ConfigurationError as error:
        raise pytest.UsageError(f"payproof: {error}") from None
    config.pluginmanager.register(_Scenarios(choices, f"payproof: judges {header}"), "payproof-scenarios")


class _Scenarios:
    """Adds the cases to what pytest has collected."""

    def __init__(self, choices: tuple[Choice, ...], header: str) -> None:
        self._choices, self._header = choices, header

    def pytest_report_header(self) -> str:
        """Say what is judged, and with which seed it can be repeated."""
        why = unusable()
        return self._header + (f"\npayproof: {why}; NumPy searches in its place, more slowly" if why else "")

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Hand the seed to a worker of pytest-xdist."""
        node.workerinput["payproof_seed"] = prepare_target(node.config).seed

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Add the cases, before ``-k`` and ``-m`` choose."""
        items.extend(
            CaseItem.from_parent(session, name=choice[1].id, nodeid=choice[1].id, choice=choice)
            for choice in self._choices
        )

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note which cases are left to run."""
        prepare_target(session.config).chosen = [item.choice for item in session.items if isinstance(item, CaseItem)]


def _markers(scenario: Scenario) -> tuple[str, ...]:
    return "payproof", f"payproof_{scenario.severity}", f"payproof_{scenario.topic}"


class CaseItem(pytest.Item):
    """One case of a scenario."""

    def __init__(self, *, choice: Choice, **rest: Any) -> None:
        super().__init__(**rest)
        self.choice = choice
        scenario, _ = choice
        for marker in _markers(scenario):
            self.add_marker(marker)

    def runtest(self) -> None:
        """Run the case; its verdict becomes pytest's."""
        try:
            session = prepare_target(self.config).session()
            self.user_properties.append((JUDGED, prepare_target(self.config).judged))
        except PayproofError as error:
            self.user_properties.append((VERDICT, kind_of(error)))
            raise
        finished = session.judge_case(*self.choice)
        advised = isinstance(finished.verdict, Failed) and finished.verdict.advised
        self.user_properties.append((VERDICT, "advised" if advised else finished.verdict.kind))
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
            return _describe_case(error.finished)
        if isinstance(error, PayproofError):
            return str(error)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, None, str]:
        """Name the scenario's file."""
        return self.choice[0].place, None, self.name


class _NotHeldError(Exception):
    def __init__(self, finished: CaseFinished) -> None:
        super().__init__(finished.id)
        self.finished = finished


def _describe_case(finished: CaseFinished) -> str:
    lines = [f"{finished.verdict.kind} ({finished.severity}): {finished.title}"]
    if isinstance(finished.verdict, Failed):
        for finding in finished.verdict.findings:
            lines += [f"  expected  {finding.expected}", f"  seen      {finding.seen} ({finding.check})"]
    else:
        lines.append(f"  {summary(finished.verdict)}")
    lines += [f"  {line}" for line in (*story(finished.record), *filter(None, [describe_masking(finished)]))]
    return "\n".join([*lines, f"  repeat    {finished.repeat}"])
