import subprocess
import sys
from importlib.metadata import entry_points
from typing import get_args

import pytest

from payproof import pytest_plugin as plugin
from payproof.domain.verdict import ExitCode
from payproof.session import EmbeddedStore
from tests.end_to_end import hostile
from tests.end_to_end.billing import billing, sources
from tests.end_to_end.command import SECRET, target_file
from tests.end_to_end.hostile import Server

OWN = """
def test_own(payproof):
    payproof.deliver("invoice.paid", amount_paid=4242).accepted().applied()
    payproof.replay().accepted().nothing_changed()
    payproof.deliver("invoice.paid", signature="wrong_secret.random").rejected().nothing_changed()
"""
CONTRACT = "answer_within = 30\neffect_within = 2"


#: With pytest-xdist it takes three processes, which `make thorough` has the time for.
ALONE_AND_XDIST = pytest.mark.parametrize(
    "workers",
    [pytest.param((), id="alone"), pytest.param(("-p", "xdist", "-n", 2), id="xdist", marks=pytest.mark.thorough)],
)


@pytest.fixture
def target(pytester):
    """Writes a target file for a billing system of these tests."""

    def written(url, **more):
        return target_file(pytester.path, url, **({"contract": CONTRACT, "sources": sources(), "waive": ()} | more))

    return written


def test_without_options_nothing_is_added(run, pytester):
    """A run that asks for nothing imports the options alone and has no marker and no case of ours, target or not."""
    (pytester.path / "payproof.toml").write_text('nmae = "wrong, and not read"\n')
    pytester.makepyfile("""
        import sys

        def test_mine(request):
            ours = {name for name in sys.modules if name.startswith("payproof")}
            assert ours == {"payproof", "payproof.pytest_plugin"}
            assert not [line for line in request.config.getini("markers") if "payproof" in line.lower()]
            ours = [name for name, _ in request.config.pluginmanager.list_name_plugin() if "payproof" in name]
            assert ours == ["payproof"]
    """)
    result = run("-W", "error", "--strict-markers", "-v", apart=True)
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*payproof: *")


def test_a_project_may_use_the_names_of_our_folders(run, pytester):
    """Packages of a user's that are called as folders of ours are imported, though Payproof is installed."""
    for name in ("harness", "reference_impl", "scenarios", "fixtures"):
        pytester.mkpydir(name)
        (pytester.path / name / "mine.py").write_text(f"NAME = {name!r}\n")
    pytester.makepyfile("""
        import importlib

        import pytest

        @pytest.mark.parametrize("name", ["harness", "reference_impl", "scenarios", "fixtures"])
        def test_mine(name):
            assert importlib.import_module(f"{name}.mine").NAME == name
    """)
    run("-q", apart=True).assert_outcomes(passed=4)


def test_cases_are_collected_with_stable_ids(run):
    """Each case is an item named topic/scenario[case], the same every time."""
    first, second = (run("--payproof-reference", "--collect-only", "-q") for _ in range(2))
    ids = [line for line in first.outlines if line.startswith("webhook_signature/")]
    assert ids == [line for line in second.outlines if line.startswith("webhook_signature/")]
    assert "webhook_signature/missing[no_header]" in ids
    assert len(ids) == len(set(ids)) > 150


@pytest.mark.parametrize(
    ("options", "passed"),
    [
        (("-k", "missing and no_header"), 1),
        (("-k", "missing", "-m", "payproof_critical and payproof_webhook_signature"), 2),
    ],
)
def test_cases_on_the_reference_service(run, options, passed):
    """Cases are chosen by -k and by the markers of topic and severity, run on the reference service, and pass."""
    result = run("--payproof-reference", "-W", "error", "--strict-markers", "--payproof-seed", 5, *options)
    result.stdout.fnmatch_lines(
        ["payproof: judges the reference billing service that comes with Payproof, not a system of yours; seed 5"]
    )
    assert result.parseoutcomes()["passed"] == passed
    assert result.ret == 0


def test_cases_on_postgresql(run):
    """The reference service is run on PostgreSQL where that is chosen."""
    result = run("--payproof-reference", "--payproof-store", "postgresql", "-W", "error", "-k", "missing and no_header")
    assert result.parseoutcomes()["passed"] == 1
    assert result.ret == 0


def test_markers_exclude(run):
    """A severity that no chosen case has leaves nothing, which is no success."""
    assert run("--payproof-reference", "-k", "missing", "-m", "payproof_low").ret == 5


def test_workers_share_one_target(run, pytester, target):
    """With pytest-xdist the workers act on one target at the same time, with one seed, and do not disturb another."""
    with billing(pytester.path) as server:
        result = run(
            *("--payproof-target", target(server.url), "-n", 2, "-k", "wrong_secret or expired or missing"),
            *("-p", "xdist"),
        )
    assert result.ret == 0, result.stdout.str()
    assert result.parseoutcomes()["passed"] >= 8


def test_own_test(run, pytester, target):
    """A user's test delivers events and says what must be true."""
    pytester.makepyfile(OWN)
    with billing(pytester.path) as server:
        result = run("--payproof-target", target(server.url), "-k", "test_own")
    assert result.parseoutcomes()["passed"] == 1
    assert result.ret == 0


def test_own_test_that_fails_shows_no_secret(run, pytester, target):
    """A user's test that fails shows its own line with what was expected and seen, and no secret even with locals."""
    pytester.makepyfile(OWN)
    with billing(pytester.path, forged_delay=0) as server:
        result = run("--payproof-target", target(server.url), "-k", "test_own", "--showlocals")
        digests = {(r.header("Stripe-Signature") or b"").partition(b"v1=")[2].decode() for r in server.requests}
    result.stdout.fnmatch_lines(
        ["*AssertionError: nothing_changed: expected no row changed, saw database, table events*"]
    )
    assert result.ret == 1
    assert len(digests) > 2
    for secret in (SECRET, *digests):
        assert secret not in result.stdout.str() + result.stderr.str()


def test_fixture_without_a_target(run, pytester):
    """The fixture without a target fails with one line that says how to name one; the code is 4."""
    pytester.makepyfile(OWN)
    result = run()
    result.stdout.fnmatch_lines(["no target: *write one with `payproof init URL`*--payproof-target FILE or PAYPROOF_*"])
    result.assert_outcomes(errors=1)
    assert result.ret == 4
    result.stdout.no_fnmatch_line("*opened.py*")


@ALONE_AND_XDIST
def test_fixture_finds_its_target(run, pytester, target, workers):
    """With a payproof.toml in the folder own tests run on it, no scenario does, and the end says what it was."""
    pytester.makepyfile(OWN)
    with billing(pytester.path) as server:
        target(server.url, name="payproof.toml")
        result = run(*workers)
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines([f"payproof: judged a test's target (local) at {server.url}, described by *; seed *"])


def test_scenarios_are_asked_for_on_the_target_that_is_found(run, pytester, target):
    """With --payproof the scenarios run on the target that is found, and the header says which, and what is waived."""
    with billing(pytester.path) as server:
        target(server.url, name="payproof.toml", sources=sources().partition("[[logs]]")[0], waive=("log",))
        result = run("--payproof", "-k", "missing and no_header", "--strict-markers", "-W", "error")
    assert result.parseoutcomes()["passed"] == 1
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [f"payproof: judges a test's target (local) at {server.url}, described by *; waived: log: *; seed *"]
    )


@ALONE_AND_XDIST
def test_own_test_that_cannot_be_judged(run, pytester, target, workers, monkeypatch):
    """An own test in which something is unknown fails with the reason, not with an AssertionError; the code is 3."""
    pytester.makepyfile("""
        import pytest

        def test_silent(payproof):
            payproof.deliver("invoice.paid").accepted()
            with pytest.raises(AssertionError):
                payproof.deliver("invoice.paid", signature="missing.no_header").rejected()
    """)

    def behave(peer, request):
        if request.header("Stripe-Signature") is not None:
            peer.send(hostile.answer(200))

    with Server(behave) as server:
        monkeypatch.setenv("PAYPROOF_TARGET", str(target(server.url, sources="", waive=("store", "log"))))
        result = run("--showlocals", *workers)
    assert result.ret == 3
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["*InconclusiveError: unreachable: 127.0.0.1:* closed the connection without an answer"]
    )
    result.stdout.no_fnmatch_line("*own_test.py*")
    assert SECRET not in result.stdout.str()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--payproof-target", "nowhere.toml"), "nowhere.toml: the target file cannot be read*"),
        (("--payproof-target", "wrong.toml"), "wrong.toml:1: unknown key 'nmae'; did you mean 'name'?"),
        (("--payproof-reference", "--payproof-topic", "webhook"), "unknown topic 'webhook'; *"),
        (("--payproof-reference", "--payproof-target", "x.toml"), "*exclude each other"),
        (("--payproof-target", "x.toml", "--payproof-store", "sqlite"), "--payproof-store needs --payproof-reference"),
        (("--payproof-topic", "webhook_signature"), "--payproof-topic needs --payproof, *"),
        (("--payproof",), "no target: *"),
        (("--payproof-reference", "-p", "no:terminal"), "*terminal reporter*"),
    ],
    ids=["missing", "unknown key", "unknown topic", "both", "store of a target", "no choice", "no target", "no count"],
)
def test_wrong_option_is_refused_before_anything_runs(run, pytester, options, said):
    """A wrong target file or option ends pytest with code 4 and one line, before any test ran."""
    pytester.makepyfile("def test_mine(): print('I ran')")
    (pytester.path / "wrong.toml").write_text('nmae = "x"\n')
    result = run(*options)
    assert result.ret == 4
    result.stderr.fnmatch_lines([f"ERROR: payproof: {said}"])
    assert "I ran" not in result.stdout.str()
    assert "Traceback" not in result.stderr.str()


def test_broken_rule(run, target):
    """A case that fails tells its problem, and once what was sent and seen and how to repeat it; the code is 1."""
    with Server(hostile.always(200)) as server:
        file = target(server.url, sources="", waive=("store", "log"))
        result = run("--payproof-target", file, "-k", "missing")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "broken: Forged deliveries are accepted (POST /webhooks/stripe, 2xx)",
            "*CRITICAL  Forged deliveries are accepted (webhook_signature/missing)",
            "*seen   status 200; webhook_signature/missing*",
            "*again  payproof run --target *--scenario 'webhook_signature/missing*--seed *",
            "*step 0: answered 200 in *",
            "broken: Forged deliveries are accepted (POST /webhooks/stripe, 2xx)",
            "*told in full by an item before",
        ]
    )
    result.stdout.no_fnmatch_line("*pytest_plugin.py*")


def test_only_unknown(run, target):
    """Where nothing is broken but something could not be judged, the code is 3."""
    with Server(hostile.always(500)) as server:
        file = target(server.url, sources="", waive=("store", "log"))
        result = run("--payproof-target", file, "-k", "missing")
    assert result.parseoutcomes()["failed"] >= 2
    assert result.ret == 3


@ALONE_AND_XDIST
def test_unreachable_target(run, target, workers):
    """A target that gives no answer is said once for each case, in one line; the code is 3."""
    with Server(hostile.close_at_once) as server:
        file = target(server.url, sources="", waive=("store", "log"))
        result = run("--payproof-target", file, "-k", "missing", *workers)
    assert result.ret == 3
    result.stdout.fnmatch_lines(["unreachable: 127.0.0.1:* closed the connection without an answer"])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_store_that_is_not_there(run, target):
    """A database that is not there is wrong configuration, though it is found late: code 4."""
    with Server(hostile.always(401)) as server:
        result = run("--payproof-target", target(server.url), "-k", "missing")
        assert server.connections == 0
    assert result.ret == 4
    result.stdout.fnmatch_lines(["*there is no SQLite database at*"])


def test_only_skipped(run, target):
    """Where every case is skipped, as on production, nothing was proven: code 5, and nothing was sent."""
    with Server(hostile.always(200)) as server:
        file = target(server.url, environment="production", sources="", waive=("store", "log"))
        result = run("--payproof-target", file, "-k", "missing")
        assert server.connections == 0
    assert result.parseoutcomes().keys() == {"skipped", "deselected"}
    assert result.ret == 5


def test_own_test_on_production(run, pytester, target):
    """The fixture delivers nothing to production."""
    pytester.makepyfile(OWN)
    with Server(hostile.always(200)) as server:
        file = target(server.url, environment="production", sources="", waive=("store", "log"))
        result = run("--payproof-target", file, "-k", "test_own")
        assert server.connections == 0
    assert result.ret != 0
    result.stdout.fnmatch_lines(["*is production: nothing is delivered there*"])


def test_advice_and_unknown(run, target):
    """Broken advice beside an unknown does not hide the unknown: code 3."""
    with Server(hostile.redirect_elsewhere) as server:
        file = target(server.url, sources="", waive=("store", "log"), contract=CONTRACT + '\nsdk = "python"')
        assert run("--payproof-target", file, "-k", "missing").ret == 3


def test_plugin_is_installed():
    """The plugin is found through its entry point."""
    (entry,) = entry_points(group="pytest11", name="payproof")
    assert entry.load() is sys.modules["payproof.pytest_plugin"]


def test_plugin_needs_no_newer_pytest():
    """Every run of pytest imports the plugin, so it does without what pytest has exported since version 8.3 alone."""
    code = "import pytest; del pytest.TerminalReporter; import payproof.pytest_plugin"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_written_twice_to_be_light_is_the_same():
    """Exit codes and stores, which every run of pytest would import the harness for, are those of the harness."""
    assert (plugin._BROKEN, plugin._UNKNOWN, plugin._USAGE, plugin._NOTHING_RAN) == (
        ExitCode.BROKEN,
        ExitCode.UNKNOWN,
        ExitCode.USAGE,
        ExitCode.NOTHING_RAN,
    )
    parser = pytest.Parser(_ispytest=True)
    plugin.pytest_addoption(parser)
    (store,) = (one for one in parser.getgroup("payproof").options if one.dest == "payproof_store")
    assert store.attrs()["choices"] == get_args(EmbeddedStore)
