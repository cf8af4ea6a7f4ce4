import os
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

from payproof.errors import FAULTS_VARIABLE
from tests.effort import examples
from tests.hostile.measured import table
from tests.parts import choose_part, read_part

# For the tests of the plugin; pytest takes it from the top-most conftest only.
pytest_plugins = ["pytester"]

# One profile everywhere, so that a failure on a CI server is the failure on the desk, and no slow machine is one.
settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=examples(100), suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci")


@pytest.fixture(autouse=True, scope="session")
def faults(tmp_path_factory):
    """The file to which the harness adds its own faults, in this process and in those that tests start."""
    file = tmp_path_factory.mktemp("faults") / "faults.txt"
    with patch.dict(os.environ, {FAULTS_VARIABLE: str(file)}):
        yield file


@pytest.fixture(autouse=True)
def no_harness_fault(request, faults):
    """Whatever a test runs, on whatever target: a fault of the harness fails it, though the run may say no more."""
    yield
    told = faults.read_text() if faults.exists() else ""
    faults.unlink(missing_ok=True)
    if request.node.get_closest_marker("harness_fault") is None:
        assert not told, f"a fault of the harness:\n{told}"
    else:
        assert told, "there was to be a fault of the harness"


def pytest_itemcollected(item):
    """Give property tests a marker: they run with few examples by `make test`, and with all by `make thorough`."""
    if is_hypothesis_test(getattr(item, "obj", None)):
        item.add_marker("property")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Leave out what belongs to another part of the tests, where a run takes a part of them only."""
    part, parts = read_part()
    if parts > 1:
        chosen = {id(item) for item in choose_part(items, part, parts)}
        config.hook.pytest_deselected(items=[item for item in items if id(item) not in chosen])
        items[:] = [item for item in items if id(item) in chosen]


def pytest_terminal_summary(terminalreporter):
    """Print the tables that tests made, which the processes that ran them cannot print."""
    measured = []
    for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", []):
        for name, value in getattr(report, "user_properties", []):
            if name == "table" and report.when == "call":
                terminalreporter.section(report.nodeid.rpartition("::")[2])
                terminalreporter.write_line(value)
            elif name == "measured" and report.when == "call":
                measured.append(value)
    if measured:
        terminalreporter.section("hostile input")
        terminalreporter.write_line(table(sorted(measured)))
