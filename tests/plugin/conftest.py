import contextlib
import importlib
import pkgutil

import pytest

import payproof
from payproof.extras import EXTRAS
from tests.end_to_end.command import SECRET, SECRET_ENV


@pytest.fixture(scope="session")
def _loaded():
    """Import what runs in this process may need: what one of them imports first is forgotten at its end."""
    ours = (module.name for module in pkgutil.walk_packages(payproof.__path__, "payproof."))
    for name in (*ours, *EXTRAS["upstream"], *EXTRAS["postgresql"]):
        with contextlib.suppress(ImportError):  # of an extra that is not installed
            importlib.import_module(name)


@pytest.fixture
def run(pytester, monkeypatch, _loaded):
    """Runs pytest with the plugin, in a process of its own only where that is what is tested."""
    monkeypatch.setenv(SECRET_ENV, SECRET)
    for name in ("PYTEST_ADDOPTS", "PAYPROOF_TARGET", "PAYPROOF_SCENARIOS", "CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)

    def once(*arguments, apart=False):
        own = {"timeout": 100} if apart else {}
        method = pytester.runpytest_subprocess if apart else pytester.runpytest_inprocess
        return method("-p", "no:cacheprovider", *map(str, arguments), **own)

    return once
