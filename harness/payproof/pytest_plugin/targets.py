"""The targets of a pytest run: each is opened for the first case or test that needs it, and once only."""

import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from secrets import randbelow
from typing import Any
from zlib import crc32

import pytest

from payproof.canary import Ledger
from payproof.domain.accepted import AcceptedRisks
from payproof.domain.problem import JudgedProblem
from payproof.domain.target import Target
from payproof.errors import ConfigurationError, InconclusiveError, PayproofError
from payproof.pytest_plugin import FOUND, JUDGED, VERDICT
from payproof.session import (
    MOST_SEED,
    Choice,
    Session,
    asks_for_fuzzing,
    asks_for_operations,
    described_choice,
    find_named_types,
    open_session,
    read_accepted,
    read_given,
    scenario_folders,
    target_or_reference,
)
from payproof.testing import Payproof

__all__ = ["Opened", "Targets", "kind_of", "own_test", "prepare_targets"]

_key = pytest.StashKey["Targets"]()


class Opened:
    """A target that cases and tests share; it is opened once, and one that cannot be opened is not tried again."""

    def __init__(self, targets: "Targets", chosen: Path | Target | None, *, seed: int, shared: bool) -> None:
        self._targets, self.chosen, self.seed, self._shared = targets, chosen, seed, shared
        self._store = targets.config.getoption("payproof_store")
        self._resources = ExitStack()
        self._session: Session | None = None
        self.refused: PayproofError | None = None
        self._told: set[str] = set()

    def take_new(self, problems: Iterable[JudgedProblem]) -> tuple[tuple[JudgedProblem, bool], ...]:
        """Return problems with whether one was taken before, and remember them."""
        taken = tuple((one, one.problem.fingerprint in self._told) for one in problems)
        self._told |= {one.problem.fingerprint for one, _ in taken}
        return taken

    @cached_property
    def judged(self) -> str:
        """One line that says what is judged, and what of it is waived.

        Raises:
            ConfigurationError: the target file is wrong.
        """
        return f"{described_choice(self.chosen, self._store)}; seed {self.seed}"

    def session(self) -> Session:
        """Return the open target.

        Raises:
            PayproofError: it cannot be opened; the second call says the same without trying again.
        """
        if self.refused is not None:
            raise self.refused
        if self._session is None:
            try:
                self._session = self._resources.enter_context(
                    open_session(
                        self.chosen,
                        seed=self.seed,
                        shared=self._shared,
                        store=self._store,
                        operations=asks_for_operations(self._targets.chosen),
                        fuzzing=asks_for_fuzzing(self._targets.chosen),
                        own=self._targets.named_folders,
                        types=find_named_types(case for _, case in self._targets.chosen),
                    )
                )
            except PayproofError as error:
                self.refused = error
                raise
            self._targets.remember(self._session)
        return self._session

    def close(self) -> None:
        """Let go of the target."""
        self._session = None
        self._resources.close()


@dataclass
class _Given:
    """A target that the fixture has given, with the very objects by which it was: they end with the fixture."""

    target: Target
    opened: Opened
    values: list[object] = field(default_factory=list)


class Targets:
    """The targets of a run: that of a file or the reference service, and those that ``payproof_target`` gives."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.chosen: list[Choice] = []
        self.collected: frozenset[str] | None = None
        workers: dict[str, Any] = getattr(config, "workerinput", {})
        given = config.getoption("payproof_seed")
        self.seed: int = _made_up_seed(workers) if given is None else given
        self._shared = bool(workers) and workers["workercount"] > 1
        self._given: list[_Given] = []
        self._times_given = 0
        self._ledgers: list[Ledger] = []
        config.add_cleanup(self.close)

    @cached_property
    def accepted(self) -> AcceptedRisks:
        """What is accepted of the problems that are found.

        Raises:
            ConfigurationError: a file is not right.
        """
        files = (self.config.getoption(f"payproof_{name}") for name in ("baseline", "waivers"))
        return read_accepted(*(Path(file) if file else None for file in files))

    @property
    def explicit(self) -> bool:
        """Whether the command line names what is judged, which is then judged in place of what the fixture gives."""
        return bool(self.config.getoption("payproof_target") or self.config.getoption("payproof_reference"))

    @property
    def _folder(self) -> Path:
        """Where pytest was started, unless what it runs is elsewhere."""
        started, root = self.config.invocation_params.dir, self.config.rootpath
        return started if started.is_relative_to(root) else root

    @cached_property
    def found(self) -> Opened:
        """The target of a file, or the reference service.

        Raises:
            ConfigurationError: none is named and none is found.
        """
        named = self.config.getoption("payproof_target")
        configured = self.config.getini("payproof_target")
        chosen = target_or_reference(
            target=named and Path(named),
            reference=self.config.getoption("payproof_reference"),
            folder=self._folder,
            option="--payproof-",
            configured=Path(os.path.relpath(self.config.rootpath / configured)) if configured else None,
        )
        return Opened(self, chosen, seed=self.seed, shared=self._shared)

    @cached_property
    def named_folders(self) -> tuple[Path, ...]:
        """The folders of scenarios that options, the environment and the configuration name."""
        told = filter(None, os.environ.get("PAYPROOF_SCENARIOS", "").split(os.pathsep))
        configured = (
            Path(os.path.relpath(self.config.rootpath / one)) for one in self.config.getini("payproof_scenarios")
        )
        return (*map(Path, self.config.getoption("payproof_scenarios")), *map(Path, told), *configured)

    def folders(self) -> tuple[Path, ...]:
        """Return the folders of scenarios that are named, and those of the target file where one is found.

        Raises:
            ConfigurationError: the target file cannot be read.
        """
        try:
            chosen = self.found.chosen
        except ConfigurationError:
            chosen = None  # told where no fixture gives a target either
        folders = scenario_folders(self.named_folders, chosen if isinstance(chosen, Path) else None)
        self.collected = frozenset(str(folder.resolve()) for folder in folders)
        return folders

    def of(self, given: object) -> Opened:
        """Return the target that the fixture has given, or that of a file where it is not overridden.

        What it gives again, the same in all its values, is the target that is open already. Each worker of pytest-xdist
        has its own fixtures, so its target is not shared.

        Raises:
            ConfigurationError: it is not right, or none is given and none is found.
        """
        if self.explicit or given is FOUND:
            return self.found
        target = read_given(given, self.config.rootpath, self.collected)
        for one in self._given:
            if one.target == target:
                one.values.append(given)
                return one.opened
        self._close_ended()
        # It may have the database of one before, in which events of the same seed would be repetitions.
        seed = (self.seed + self._times_given) % MOST_SEED
        self._times_given += 1
        self._given.append(_Given(target, Opened(self, target, seed=seed, shared=False), [given]))
        return self._given[-1].opened

    def remember(self, session: Session) -> None:
        """Keep what knows the values that no report may show, beyond the end of a session."""
        self._ledgers.append(session.ledger)

    def close(self) -> None:
        """Let go of every target."""
        for one in self._given:
            one.opened.close()
        self._given = []
        if "found" in self.__dict__:
            self.found.close()

    def _close_ended(self) -> None:
        """Let go of the targets that no fixture stands for any more."""
        for one in self._given:
            if not one.values:
                one.opened.close()
        self._given = [one for one in self._given if one.values]

    def pytest_fixture_post_finalizer(self, fixturedef: pytest.FixtureDef[object]) -> None:
        """Let go of a target with its fixture; what a fixture gave for one test may be given again for the next."""
        if fixturedef.argname != "payproof_target" or fixturedef.cached_result is None:
            return
        for one in self._given:
            one.values = [value for value in one.values if value is not fixturedef.cached_result[0]]
        if fixturedef.scope != "function" or any(one.opened.refused for one in self._given):
            self._close_ended()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, nextitem: pytest.Item | None) -> None:
        """Let go of every given target before the fixtures end that they stand on, such as a database."""
        if nextitem is None:
            for one in self._given:
                one.opened.close()
            self._given = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Mark a test in which something could not be judged: it has failed, and nothing is known to be broken.

        What pytest has captured meanwhile may be the target's own output, of a server in this process.
        """
        error = None if call.excinfo is None else call.excinfo.value
        if isinstance(error, InconclusiveError) and VERDICT not in dict(item.user_properties):
            item.user_properties.append((VERDICT, "errored"))
        report = yield
        report.sections = [(title, self._mask(text)) for title, text in report.sections]
        return report

    def _mask(self, text: str) -> str:
        """Return a text in which every value is replaced that a target that was opened must not show."""
        for ledger in self._ledgers:
            text = ledger.mask_ever(text.encode("utf-8", "replace"))[0].decode("utf-8", "replace")
        return text


def _made_up_seed(workers: Mapping[str, Any]) -> int:
    """Return a seed; workers of pytest-xdist share the controller's, or where it has none that of the run's own id."""
    if not workers:
        return randbelow(MOST_SEED)
    controllers: int | None = workers.get("payproof_seed")
    return crc32(workers["testrunuid"].encode()) if controllers is None else controllers


def prepare_targets(config: pytest.Config) -> Targets:
    """Return the targets of a run, of which none is opened yet."""
    if _key not in config.stash:
        config.stash[_key] = Targets(config)
        config.pluginmanager.register(config.stash[_key], "payproof-opened")
    return config.stash[_key]


@contextmanager
def own_test(request: pytest.FixtureRequest, given: object) -> Iterator[Payproof]:
    """Yield what a user's own test acts by; a target that cannot be opened fails the test in one line."""
    refused = ""
    try:
        target = prepare_targets(request.config).of(given)
        session = target.session()
        request.node.user_properties.append((JUDGED, target.judged))
        made = Payproof(session, request.node.nodeid)
    except PayproofError as error:
        request.node.user_properties.append((VERDICT, kind_of(error)))
        refused = str(error)
    if refused:  # beyond the except clause, so that it is told once
        pytest.fail(refused, pytrace=False)
    yield made
    session.ledger.forget()


def kind_of(error: PayproofError) -> str:
    """Return what a target that cannot be opened counts as."""
    return "misconfigured" if isinstance(error, ConfigurationError) else "errored"
