"""Ids of scenarios and cases as pytest's arguments."""

import re
import shlex
from xml.etree import ElementTree as ET

import pytest

from tests.end_to_end import hostile
from tests.end_to_end.command import target_file
from tests.end_to_end.hostile import Server

MISSING = "webhook_signature/missing"
HEADER, EMPTY = f"{MISSING}[no_header]", f"{MISSING}[empty_header]"
CONFTEST = """
import pytest

@pytest.fixture(scope="session"{parameters})
def payproof_target({asks}):
    return {{
        "url": {url!r}, "webhook": {{"path": "/hook", "secret": {secret!r}, "api_version": "2022-11-15"}},
        "contract": {{"answer_within": 30, "effect_within": 0.2}},
        "waive": [{{"channel": one, "reason": "a test gives no access"}} for one in ("store", "log")],
    }}
"""


def listed(result):
    """Return the ids that a quiet collection lists."""
    return [line for line in result.outlines if re.fullmatch(r"\S+\[\S+\]|\S+::\S+", line)]


@pytest.fixture
def chosen(run):
    """Returns what is collected for some arguments, on the reference service."""

    def collected(*arguments):
        return listed(run("--payproof-reference", "--collect-only", "-q", *arguments))

    return collected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ((HEADER,), [HEADER]),
        ((MISSING,), [HEADER, EMPTY]),
        ((HEADER, "webhook_signature/expired[301s]"), ["webhook_signature/expired[301s]", HEADER]),
        ((MISSING, "-k", "no_header"), [HEADER]),
        ((MISSING, "--deselect", HEADER), [EMPTY]),
        ((MISSING, "--deselect", MISSING), []),
        ((MISSING, HEADER), [HEADER, EMPTY]),
    ],
)
def test_ids_choose(chosen, pytester, asked, expected):
    """Ids of scenarios and cases run these and nothing else, and no file of the user's is imported for them."""
    pytester.makepyfile("raise RuntimeError('imported')")
    assert sorted(chosen(*asked)) == sorted(expected)


def test_topic_chooses(chosen):
    """A topic's name chooses its scenarios."""
    ids = chosen("transmission")
    assert ids
    assert {one.partition("/")[0] for one in ids} == {"transmission"}


def test_ids_beside_own_tests(chosen, pytester):
    """Ids and the files of own tests can stand side by side, and a file is a file though a scenario has its name."""
    pytester.makepyfile(test_one="def test_one(): pass", test_two="def test_two(): pass")
    assert chosen("test_one.py", HEADER) == ["test_one.py::test_one", HEADER]
    assert chosen(HEADER, "test_two.py::test_two") == ["test_two.py::test_two", HEADER]
    (pytester.path / "webhook_signature").mkdir()
    (pytester.path / "webhook_signature" / "test_mine.py").write_text("def test_mine(): pass")
    (found, *others) = chosen("webhook_signature")
    assert found == "webhook_signature/test_mine.py::test_mine"
    assert len(others) > 100  # what is collected beside paths, as without ids


def test_ids_are_counted(run):
    """--collect-only counts cases as it counts tests."""
    result = run("--payproof-reference", "--collect-only", MISSING)
    result.stdout.fnmatch_lines(["collected 2 items", f"<CaseItem {MISSING}[[]no_header[]]>", "*2 tests collected in*"])


@pytest.mark.parametrize("wrong", ["webhook_signature/mising", "webhook_signature/missing[no_heder]"])
def test_id_that_there_is_not(run, wrong):
    """An id that is misspelt is told with the one that is meant; code 4."""
    result = run("--payproof-reference", wrong)
    assert result.ret == 4
    meant = wrong.replace("mising", "missing").replace("heder", "header")
    said = f"ERROR: payproof: there is no file and no scenario {wrong!r}; did you mean {meant!r}?"
    assert said in result.stderr.lines


def test_path_that_there_is_not(run):
    """What is no id of ours is pytest's to refuse."""
    result = run("--payproof-reference", "tests/nowhere.py")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: file or directory not found: tests/nowhere.py"])


@pytest.mark.parametrize(
    "workers",
    [pytest.param((), id="alone"), pytest.param(("-p", "xdist", "-n", 4), id="xdist", marks=pytest.mark.thorough)],
)
def test_what_a_report_shows_can_be_pasted(run, pytester, workers):
    """The ids of failed cases in the summary run just these again, also from a folder below, and with --lf."""
    (pytester.path / "below").mkdir()
    (pytester.path / "pytest.ini").write_text("[pytest]\n")
    with Server(hostile.always(200)) as server:
        file = target_file(pytester.path, server.url)
        result = run("--payproof-target", file, MISSING, *workers)
        assert result.parseoutcomes()["failed"] == 2
        (first, *_) = [line.split()[1] for line in result.outlines if line.startswith("FAILED ")]
        assert first in {HEADER, EMPTY}
        again = run("--payproof-target", file, first, *workers)
        assert again.parseoutcomes() == {"failed": 1}
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(pytester.path / "below")
            from_below = run("--payproof-target", file, first, *workers)
            (shown,) = [line.split()[1] for line in from_below.outlines if line.startswith("FAILED ")]
            assert shown == f"../{first}"
            assert run("--payproof-target", file, shown, *workers).parseoutcomes() == {"failed": 1}


def unsigned(peer, request):
    """Take what has a signature, be it empty."""
    peer.send(hostile.answer(401 if request.header("Stripe-Signature") is None else 200))


def test_last_failed(pytester, monkeypatch, run):
    """--lf runs the cases again that failed, among those that are asked for."""
    cached = ("-o", "cache_dir=cache", "-p", "cacheprovider")

    def once(*arguments):
        return pytester.runpytest_inprocess(*map(str, arguments), *cached)

    with Server(unsigned) as server:
        file = target_file(pytester.path, server.url)
        assert once("--payproof-target", file, MISSING).parseoutcomes() == {"passed": 1, "failed": 1}
        again = once("--payproof-target", file, MISSING, "--lf")
        assert again.parseoutcomes() == {"failed": 1, "deselected": 1}
        again.stdout.fnmatch_lines(["run-last-failure: rerun previous 1 failure"])


@pytest.mark.parametrize("folder", [".", "tests", "tests/deeper"])
def test_cases_of_a_fixture(run, pytester, folder):
    """Where a fixture gives the target, in whatever folder, an id finds it, and so does the id with its place."""
    place = pytester.path / folder
    place.mkdir(parents=True, exist_ok=True)
    (place / "conftest.py").write_text(
        CONFTEST.format(url="http://127.0.0.1:9", secret="x" * 20, asks="", parameters="")
    )
    (place / "test_own.py").write_text("raise RuntimeError('imported')")
    at = f"{folder}/conftest.py".removeprefix("./")
    for asked in (HEADER, f"{at}::{HEADER}"):
        assert listed(run("--payproof", "--collect-only", "-q", asked)) == [f"{at}::{HEADER}"]


def test_cases_of_a_fixture_with_parameters(run, pytester):
    """The id of a case with its parameters runs it with these; without them it runs with each."""
    how = {"url": "http://127.0.0.1:9", "secret": "x" * 20, "asks": "request", "parameters": ", params=['a', 'b']"}
    (pytester.path / "conftest.py").write_text(CONFTEST.format(**how))
    both = listed(run("--payproof", "--collect-only", "-q", HEADER))
    assert both == [f"conftest.py::{HEADER}[a]", f"conftest.py::{HEADER}[b]"]
    assert listed(run("--payproof", "--collect-only", "-q", both[1])) == [both[1]]
    assert listed(run("--payproof", "--collect-only", "-q", f"{HEADER}[b]")) == [both[1]]


def test_command_that_repeats_a_case_of_a_fixture(run, pytester):
    """The command that a failed case shows runs it again."""
    secret = "whsec_" + "0123456789abcdefghij"
    with Server(hostile.always(200)) as server:
        text = CONFTEST.format(url=server.url, secret=secret, asks="", parameters="")
        (pytester.path / "conftest.py").write_text(text)
        result = run("--payproof", HEADER)
        (line,) = [one for one in result.outlines if one.strip().startswith("again ")]
        command, *words = shlex.split(line.strip().removeprefix("again"))
        assert command == "pytest"
        assert words[-1] == f"conftest.py::{HEADER}"
        assert run(*words).parseoutcomes() == {"failed": 1}


def test_summary_in_continuous_integration(run, pytester, monkeypatch):
    """There pytest's summary shortens nothing: it has the first line of a failed case, and so has JUnit's message."""
    monkeypatch.setenv("CI", "true")
    with Server(hostile.always(200)) as server:
        text = CONFTEST.format(url=server.url, secret="x" * 20, asks="", parameters="")
        (pytester.path / "conftest.py").write_text(text)
        result = run("--payproof", HEADER, "--junit-xml", "junit.xml")
    broken = "broken: Forged deliveries are accepted (POST /hook, 2xx)"
    summary = result.outlines[
        result.outlines.index("=========================== short test summary info ============================") :
    ]
    assert summary[1:-1] == [f"FAILED conftest.py::{HEADER} - {broken}"]
    failure = ET.parse(pytester.path / "junit.xml").find(".//failure")
    assert failure.get("message") == broken
    assert failure.text.startswith(f"{broken}\n  CRITICAL  ")
