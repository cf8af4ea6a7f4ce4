"""The target of a pytest run: opened for the first case or test that needs it, closed at the end."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from secrets import randbelow
from typing import Any
from zlib import crc32

import pytest

from payproof.errors import ConfigurationError, InconclusiveError, PayproofError
from payproof.pytest_plugin import JUDGED, VERDICT
from payproof.session import (
    MOST_SEED,
    Choice,
    Session,
    asks_for_fuzzing,
    asks_for_operations,
    described_choice,
    find_named_types,
    open_session,
    target_or_reference,
)
from payproof.testing import Payproof

__all__ = ["Opened", "kind_of", "own_test", "prepare_target"]

_key = pytest.StashKey["Opened"]()


class Opened:
    """What a run's cases and tests share; it is opened once, and one that cannot be opened is not tried again."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._resources = ExitStack()
        self._session: Session | None = None
        self._refused: PayproofError | None = None
        self.chosen: list[Choice] = []
        workers: dict[str, Any] = getattr(config, "workerinput", {})
        given = config.getoption("payproof_seed")
        self.seed: int = _made_up_seed(workers) if given is None else given
        self._shared = bool(workers) and workers["workercount"] > 1
        config.add_cleanup(self._resources.close)

    @cached_property
    def file(self) -> Path | None:
        """The file of the target, or None for the reference service.

        Raises:
            ConfigurationError: none is named and none is found.
        """
        named = self._config.getoption("payproof_target")
        started = self._config.invocation_params.dir
        root = self._config.rootpath
        return target_or_reference(
            target=named and Path(named),
            reference=self._config.getoption("payproof_reference"),
            # Where pytest was started, unless what it runs is elsewhere.
            folder=started if started.is_relative_to(root) else root,
            option="--payproof-",
        )

    @cached_property
    def judged(self) -> str:
        """One line that says what is judged, and what of it is waived.

        Raises:
            ConfigurationError: there is no target, or its file is wrong.
        """
        return f"{described_choice(self.file, self._config.getoption('payproof_store'))}; seed {self.seed}"

    def session(self) -> Session:
        """Return the open target.

        Raises:
            PayproofError: it cannot be opened; the second call says the same without trying again.
        """
        if self._refused is not None:
            raise self._refused
        if self._session is None:
            try:
                self._session = self._resources.enter_context(
                    open_session(
                        self.file,
                        seed=self.seed,
                        shared=self._shared,
                        store=self._config.getoption("payproof_store"),
                        operations=asks_for_operations(self.chosen),
                        fuzzing=asks_for_fuzzing(self.chosen),
                        types=find_named_types(case for _, case in self.chosen),
                    )
                )
            except PayproofError as error:
                self._refused = error
                raise
        return self._session

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        """Mark a test in which something could not be judged: it has failed, and nothing is known to be broken."""
        error = None if call.excinfo is None else call.excinfo.value
        if isinstance(error, InconclusiveError) and VERDICT not in dict(item.user_properties):
            item.user_properties.append((VERDICT, "errored"))


def _made_up_seed(workers: Mapping[str, Any]) -> int:
    """Return a seed; workers of pytest-xdist share the controller's, or where it has none that of the run's own id."""
    if not workers:
        return randbelow(MOST_SEED)
    controllers: int | None = workers.get("payproof_seed")
    return crc32(workers["testrunuid"].encode()) if controllers is None else controllers


def prepare_target(config: pytest.Config) -> Opened:
    """Return the target of a run, which is not yet opened."""
    if _key not in config.stash:
        config.stash[_key] = Opened(config)
        config.pluginmanager.register(config.stash[_key], "payproof-opened")
    return config.stash[_key]


@contextmanager
def own_test(request: pytest.FixtureRequest) -> Iterator[Payproof]:
    """Yield what a user's own test acts by; a target that cannot be opened fails the test in one line."""
    target = prepare_target(request.config)
    refused = ""
    try:
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
