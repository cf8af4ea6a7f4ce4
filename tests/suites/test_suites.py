"""Projects with test-suites of their own, in the style of their frameworks; each gives its target in conftest.py."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.end_to_end.command import Ended, environment, payproof

SECRET = "whsec_" + "ofTheDjangoShop0123456789"
XDIST = ("-n", 2)
_WHOLE_SECONDS = 1200  # of all cases, on a machine that is busy

#: What Django's own development server does, on which live_server runs: no integration's fault, and said in the docs.
BY_LIVE_SERVER = {
    "webhook_signature/huge_header[bytes_64k]",
    "webhook_signature/huge_header[entries_10000]",
}
#: What depends on the moment there: the database is emptied after each test, and that server names its version.
BY_THE_MOMENT = {"data_at_rest/pattern_scan[stores]", "error_handling/fuzz_routes[malformed]"}
#: What Stripe's example does wrong: it reads a header that may be missing, and hands the SDK what that cannot compare.
BY_THE_EXAMPLE = {
    "webhook_signature/missing[no_header]",
    "webhook_signature/non_ascii_signature[all_bytes]",
    "webhook_signature/non_ascii_signature[one_byte]",
}


@pytest.fixture
def suite(tmp_path):
    """Runs pytest in a copy of a project, as its owner does."""

    def run(project: str, *options: object, seconds: float = 300, **variables: str) -> Ended:
        folder = tmp_path / project
        if not folder.exists():
            shutil.copytree(Path(__file__).parent / project, folder, ignore=shutil.ignore_patterns("__pycache__"))
        env = environment(STRIPE_WEBHOOK_SECRET=SECRET, COLUMNS="200", **variables)
        # It is a project of its own: what this one's variables say is not said to it.
        env = {
            name: value for name, value in env.items() if not name.startswith("PAYPROOF_") or name == "PAYPROOF_FAULTS"
        }
        own = ("-p", "no:cacheprovider", *(() if project == "django_shop" else ("-p", "no:django")))
        return payproof("-m", "pytest", *own, *options, cwd=folder, env=env, program=sys.executable, seconds=seconds)

    return run


def failed(ended: Ended) -> set[str]:
    """Return the cases that did not pass, by the summary at the end."""
    return set(re.findall(r"^(?:FAILED|ERROR) conftest\.py::(\S+)", ended.out, re.MULTILINE))


@pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(XDIST, id="xdist", marks=pytest.mark.thorough)]
)
@pytest.mark.parametrize("project", ["django_shop", "fastapi_shop"])
def test_own_tests_of_the_project(suite, project, workers):
    """The project's own tests of its webhook run on the server that its suite starts, with its test database."""
    ended = suite(project, *workers)
    assert ended.code == 0, ended.out + ended.err
    assert re.search(
        r"payproof: judged the target of this test-suite \(local\) at http://(localhost|127\.0\.0\.1):", ended.out
    )
    assert SECRET not in ended.out + ended.err


FEW = "webhook_signature and (missing or non_ascii or expired or valid and invoice)"


@pytest.mark.parametrize("project", ["django_shop", "fastapi_shop"])
def test_scenarios_hold_on_the_project(suite, project):
    """The scenarios are judged on that server, and hold where the project verifies as it should."""
    ended = suite(project, "--payproof", "-k", FEW)
    assert (ended.code, failed(ended)) == (0, set()), ended.out
    assert int(re.search(r"(\d+) passed", ended.out)[1]) >= 15


@pytest.mark.thorough
def test_what_the_example_does_wrong_is_found(suite):
    """The view as Stripe's documentation shows it fails by what it does wrong, and by nothing else."""
    ended = suite("django_shop", "--payproof", "-k", FEW, SHOP_AS_DOCUMENTED="1")
    assert ended.code == 1
    assert failed(ended) == BY_THE_EXAMPLE
    assert SECRET not in ended.out + ended.err


@pytest.mark.thorough
def test_a_database_in_memory_is_told(suite):
    """Without a file for its test database Django keeps it in memory: one line says so, and what would be right."""
    ended = suite("django_shop", SHOP_IN_MEMORY="1")
    assert ended.code == 4
    told = (
        "payproof_target: the database of 'database' is in memory, where its own process alone sees it; give it a file"
    )
    assert f"{told} (Django: DATABASES['default']['TEST'] = {{'NAME': 'test.sqlite3'}})\n" in ended.out


@pytest.mark.thorough
@pytest.mark.timeout(_WHOLE_SECONDS + 60)
@pytest.mark.parametrize(("project", "found"), [("django_shop", BY_LIVE_SERVER), ("fastapi_shop", set())])
def test_every_scenario_is_judged_on_the_project(suite, project, found):
    """All scenarios find what is wrong there, and nothing else."""
    ended = suite(project, "--payproof", "-m", "payproof", *XDIST, seconds=_WHOLE_SECONDS)
    assert failed(ended) - BY_THE_MOMENT == found, ended.out


@pytest.mark.parametrize("project", ["django_shop", "fastapi_shop"])
def test_the_document_shows_the_projects(project):
    """docs/test-suites.md shows each conftest.py as it is."""
    name = f"tests/suites/{project}/conftest.py"
    root = Path(__file__).parents[2]
    document = (root / "docs" / "test-suites.md").read_text()
    shown = dict(re.findall(r"^```python (\S+)\n(.*?)^```$", document, re.DOTALL | re.MULTILINE))
    assert shown[name] == (root / name).read_text()
