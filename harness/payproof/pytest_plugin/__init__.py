"""The pytest plugin: fixtures for own tests, and the scenarios as tests where a run asks for them.

Every pytest run of an environment that has Payproof imports this module, so it adds options and nothing else: all
other modules are imported when the scenarios are asked for, or when a test asks for the fixture.
"""

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from payproof.testing import Payproof

__all__ = ["FOUND", "JUDGED", "VERDICT", "payproof", "payproof_target"]

#: Properties of tests: the kind of a verdict that is not pytest's own, and what was judged.
VERDICT, JUDGED = "payproof", "payproof_judged"

#: What ``payproof_target`` gives where nobody overrides it: the target is then found as everywhere.
FOUND = object()

_BROKEN, _UNKNOWN, _USAGE, _NOTHING_RAN = 1, 3, 4, 5  # as ExitCode says, which is not imported in every run


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("payproof", "Payproof: payment data safety of a Stripe billing integration")
    group.addoption(
        "--payproof",
        action="store_true",
        help="collect the scenarios, for the target that the fixture payproof_target gives; without it for that of "
        "PAYPROOF_TARGET, of the ini option payproof_target, or of the payproof.toml (or [tool.payproof] target in "
        "pyproject.toml) in this folder or above",
    )
    group.addoption("--payproof-target", metavar="FILE", help="collect the scenarios, for the target of this file")
    group.addoption(
        "--payproof-reference", action="store_true", help="collect the scenarios, for the reference service"
    )
    group.addoption(
        "--payproof-store",
        choices=("sqlite", "postgresql"),
        help="with --payproof-reference: database of the reference service, SQLite without it",
    )
    group.addoption("--payproof-topic", action="append", default=[], metavar="TOPIC", help="only this topic")
    group.addoption(
        "--payproof-scenarios",
        action="append",
        default=[],
        metavar="DIR",
        help="collect the scenarios of this folder too, beside those that PAYPROOF_SCENARIOS, the ini option "
        "payproof_scenarios and the target file name",
    )
    group.addoption("--payproof-baseline", metavar="FILE", help="problems that were known before break nothing")
    group.addoption("--payproof-waivers", metavar="FILE", help="problems that their owners accept until a day")
    parser.addini("payproof_target", "target file of this test-suite, relative to the root folder")
    parser.addini("payproof_scenarios", "folders of scenarios of your own, relative to the root folder", "linelist")
    group.addoption("--payproof-seed", type=int, metavar="N", help="repeat the run that showed this seed")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse options that contradict each other, and have the scenarios collected where they are asked for."""
    target, reference = config.getoption("payproof_target"), config.getoption("payproof_reference")
    if target and reference:
        raise pytest.UsageError("payproof: --payproof-target and --payproof-reference exclude each other")
    if config.getoption("payproof_store") and not reference:
        raise pytest.UsageError("payproof: --payproof-store needs --payproof-reference")
    if target or reference or config.getoption("payproof"):
        from payproof.pytest_plugin.scenarios import collect_scenarios  # noqa: PLC0415 (only a run that asks pays for it)

        collect_scenarios(config)
    elif config.getoption("payproof_topic"):
        raise pytest.UsageError(
            "payproof: --payproof-topic needs --payproof, --payproof-target or --payproof-reference"
        )


@pytest.fixture(scope="session")
def payproof_target() -> object:
    """Describe the target of this test-suite; override it in a conftest.py, with whatever scope.

    Return a mapping with the keys of a target file, in which secrets may be values: url, webhook, stores, logs, ...
    """
    return FOUND


@pytest.fixture
def payproof(request: pytest.FixtureRequest, payproof_target: object) -> "Iterator[Payproof]":
    """Deliver events to the target and judge what they do, in tests of your own.

    The target is that of --payproof-target, of the fixture payproof_target, of PAYPROOF_TARGET, or of the payproof.toml
    in this folder or above.
    """
    from payproof.pytest_plugin.targets import own_test  # noqa: PLC0415 (only a test that asks pays for it)

    with own_test(request, payproof_target) as made:
        yield made


def pytest_terminal_summary(terminalreporter: "pytest.TerminalReporter") -> None:
    """Say what was judged: a run with the fixture alone has no header that says it, and a quiet run has none at all."""
    judged = (dict(report.user_properties).get(JUDGED) for report in _reports(terminalreporter))
    for line in dict.fromkeys(str(one) for one in judged if one):
        terminalreporter.write_line(f"payproof: judged {line}")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Give pytest's exit status Payproof's meaning: 3 where nothing broke but something is unknown, 5 for no proof."""
    reporter: pytest.TerminalReporter | None = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None:
        return
    kinds: Counter[str] = Counter()
    for report in _reports(reporter):
        if report.when == "call" or report.failed:
            kinds[str(dict(report.user_properties).get(VERDICT, f"other {report.outcome}"))] += 1
    if exitstatus == _BROKEN and not kinds["failed"] and not kinds["other failed"]:
        if kinds["misconfigured"]:
            session.exitstatus = _USAGE
        elif kinds["errored"]:
            session.exitstatus = _UNKNOWN
    proven = sum(kinds[kind] for kind in ("passed", "failed", "advised", "errored", "misconfigured", "other passed"))
    if not exitstatus and kinds["skipped"] and not proven:
        session.exitstatus = _NOTHING_RAN


def _reports(reporter: "pytest.TerminalReporter") -> Iterator[pytest.TestReport]:
    """Yield every report, of all workers where there are several."""
    for reports in reporter.stats.values():
        yield from (report for report in reports if isinstance(report, pytest.TestReport))
