"""The fixture `payproof_target`: a test-suite says at run time what is judged."""

import pytest

from payproof.pytest_plugin import targets
from tests.end_to_end import hostile
from tests.end_to_end.billing import billing, sources
from tests.end_to_end.command import SECRET, SECRET_ENV, target_file
from tests.end_to_end.hostile import Server

OWN = """
def test_own(payproof):
    payproof.deliver("invoice.paid", amount_paid=4242).accepted().applied()
    payproof.replay().accepted().nothing_changed()

def test_another(payproof):
    payproof.deliver("invoice.paid", signature="wrong_secret.random").rejected().nothing_changed()
"""
CONFTEST = """
import pytest

def described(url, folder):
    return {{
        "url": url,
        "webhook": {{"path": "/webhooks/stripe", "secret": {secret!r}, "api_version": "2022-11-15"}},
        "stores": [{{"name": "database", "url": f"sqlite:{{folder}}/billing.db"}}],
        "logs": [{{"name": "log", "url": f"file:{{folder}}/billing.log"}}],
    }}

@pytest.fixture{how}
def payproof_target({asks}):
    {gives}
"""
FEW = ("--payproof", "-k", "test_own or test_another or (missing and no_header)")
XDIST = ("-p", "xdist", "-n", 2)
#: With pytest-xdist it takes three processes, which `make thorough` has the time for.
ALONE_AND_XDIST = pytest.mark.parametrize(
    "workers", [pytest.param((), id="alone"), pytest.param(XDIST, id="xdist", marks=pytest.mark.thorough)]
)


@pytest.fixture
def given(pytester):
    """Writes a conftest.py whose fixture gives what is told, and the tests beside it."""

    def written(gives, *, how="(scope='session')", asks="", folder="."):
        place = pytester.path / folder
        place.mkdir(exist_ok=True)
        text = CONFTEST.format(secret=SECRET, how=how, asks=asks, gives=gives)
        (place / "conftest.py").write_text(text)
        (place / "test_billing.py").write_text(OWN)

    return written


@pytest.fixture
def server(pytester):
    """A billing system on a port that nobody knows before."""
    with billing(pytester.path) as running:
        yield running


@pytest.fixture
def opened(monkeypatch, run):
    """What was opened in the runs of a test, in their order."""
    seen = []
    real = targets.open_session

    def noting(chosen, **how):
        seen.append(chosen)
        return real(chosen, **how)

    monkeypatch.setattr(targets, "open_session", noting)
    return seen


@pytest.mark.parametrize("scope", ["function", "module", "session"])
def test_it_is_judged_by_own_tests_and_by_scenarios(run, given, server, scope, opened):
    """Own tests and cases act on what the fixture gives, which is opened once whatever its scope is."""
    given(f"return described({server.url!r}, '.')", how=f"(scope={scope!r})")
    result = run("-W", "error", "--strict-markers")
    assert (result.ret, result.parseoutcomes()) == (0, {"passed": 2})
    assert len(opened) == 1
    result.stdout.fnmatch_lines(
        [
            f"payproof: judged the target of this test-suite (local) at {server.url}, described by payproof_target*",
        ]
    )
    result = run(*FEW, "-W", "error", "--strict-markers", "-v")
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 3
    result.stdout.fnmatch_lines(
        [
            "payproof: judges what the fixture payproof_target gives; seed *",
            "conftest.py::webhook_signature/missing?no_header? PASSED*",
        ]
    )


def test_it_is_found_where_its_conftest_stands(run, given, server):
    """A conftest.py of a folder gives the target of the tests below it, also where one of its files is asked for."""
    given(f"return described({server.url!r}, '.')", folder="billing")
    for asked in ((), ("billing",), ("billing/test_billing.py",), ("billing", "-c", "/dev/null", "--rootdir", ".")):
        result = run(*FEW, "-v", *asked)
        assert result.ret == 0, result.stdout.str()
        assert result.parseoutcomes()["passed"] == 3
        result.stdout.fnmatch_lines(["*billing/conftest.py::webhook_signature/missing?no_header? PASSED*"])


def test_it_may_be_parametrised(run, given, pytester):
    """Each parameter of the fixture is a target: own tests and cases run on each, under a name of their own."""
    (pytester.path / "a").mkdir()
    (pytester.path / "b").mkdir()
    with billing(pytester.path / "a") as one, billing(pytester.path / "b", forged_delay=0) as other:
        urls = {"a": one.url, "b": other.url}
        given(
            f"return described({urls!r}[request.param], request.param)",
            how="(scope='session', params=['a', 'b'])",
            asks="request",
        )
        result = run(*FEW, "-v")
    result.stdout.fnmatch_lines_random(
        [
            "*::test_own?a? PASSED*",
            "*::test_own?b? PASSED*",
            "*::webhook_signature/missing?no_header??a? PASSED*",
            "*::webhook_signature/missing?no_header??b? FAILED*",
            "broken: *",
            "*again  pytest --payproof --payproof-seed * 'conftest.py::webhook_signature/missing?no_header??b?'",
        ]
    )
    assert result.ret == 1


def test_each_test_may_have_a_target_of_its_own(run, given, pytester):
    """A fixture that starts a new target for each test has each of them opened and let go of."""
    given(
        """
    import contextlib
    from tests.end_to_end.billing import billing
    with billing(tmp_path) as server:
        yield described(server.url, tmp_path)""",
        how="",
        asks="tmp_path",
    )
    result = run()
    assert (result.ret, result.parseoutcomes()) == (0, {"passed": 2})
    assert result.stdout.str().count("payproof: judged") == 2


def test_a_fixture_may_vary_one_of_another_folder(run, given, server, pytester):
    """A nearer fixture takes what the one above gives, and each conftest.py is a target with its cases."""
    given(f"return described({server.url!r}, '.')")
    given("return {**payproof_target, 'name': 'varied'}", folder="nearer", asks="payproof_target")
    (pytester.path / "nearer" / "test_billing.py").rename(pytester.path / "nearer" / "test_varied.py")
    result = run(*FEW)
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 6
    result.stdout.fnmatch_lines(["payproof: judged varied (local) at *"])


def test_a_file_is_its_base(run, given, server, pytester):
    """What a target file says is added to, and what only the run knows is given."""
    target_file(pytester.path, "https://nowhere.example", name="payproof.toml", sources=sources(), waive=())
    given(f"return {{'base': 'payproof.toml', 'url': {server.url!r}}}")
    result = run(*FEW)
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 3
    result.stdout.fnmatch_lines(
        [f"payproof: judged a test's target (local) at {server.url}, described by payproof_target*"]
    )


@pytest.mark.thorough
def test_each_worker_has_its_own(run, given, pytester):
    """With pytest-xdist each worker opens what its own fixture gives, with one seed, and nothing is shared."""
    given(
        """
    from tests.end_to_end.billing import billing
    folder = tmp_path_factory.mktemp("billing")
    with billing(folder) as server:
        yield described(server.url, folder)""",
        asks="tmp_path_factory",
    )
    result = run(*XDIST, "--payproof", "-k", "test_own or missing or wrong_secret")
    assert result.ret == 0, result.stdout.str()
    assert result.parseoutcomes()["passed"] >= 4
    lines = [line for line in result.outlines if line.startswith("payproof: judged")]
    assert len(lines) == 2
    assert len({line.rpartition("seed ")[2] for line in lines}) == 1  # of one run


def test_the_command_line_comes_first(run, given, pytester, server):
    """A target that the command line names is judged in place of what the fixture gives."""
    given("raise RuntimeError('a port that nobody listens at')")
    given("return {}")
    file = target_file(pytester.path, server.url, sources=sources(), waive=(), contract="answer_within = 30")
    result = run("--payproof-target", file, *FEW[1:])
    assert result.parseoutcomes()["passed"] == 3
    assert result.ret == 0


@pytest.mark.parametrize(
    ("gives", "said"),
    [
        ("pass", "payproof_target: it gave NoneType; return a mapping with the keys of a target file: url, webhook, *"),
        ("return 'http://127.0.0.1:1'", "payproof_target: it gave str; return a mapping *"),
        ("return {}", "payproof_target: 'url' is missing; *"),
        (
            "return {**described('http://127.0.0.1:1', '.'), 'webhok': {}}",
            "payproof_target: unknown key 'webhok'; did *",
        ),
        (
            "return {**described('http://127.0.0.1:1', '.'), 'stores': [{'name': 'd', 'url': 'sqlite::memory:'}]}",
            "payproof_target: the database of 'd' is in memory, where its own process alone sees it; *",
        ),
        ("return described('http://127.0.0.1:1', 'none')", "store 'database': there is no SQLite database at */none/*"),
    ],
    ids=["nothing", "a URL", "no URL", "unknown key", "in memory", "no database"],
)
@pytest.mark.parametrize("options", [(), FEW], ids=["own", "cases"])
def test_what_is_wrong_is_one_line(run, given, gives, said, options):
    """What the fixture gives wrong fails each test in one line, and no other target is judged; the code is 4."""
    given(gives)
    result = run(*options)
    assert result.ret == 4, result.stdout.str()
    result.stdout.fnmatch_lines([said])
    result.stdout.no_fnmatch_line("*Traceback*")
    assert SECRET not in result.stdout.str()


def test_a_target_that_is_away_is_unknown(run, given):
    """A target that the fixture gives and that does not answer is unknown for each test, and none passes."""
    with Server(hostile.close_at_once) as server:
        waived = ", ".join(f"{{'channel': {one!r}, 'reason': 'a test has none'}}" for one in ("store", "log"))
        given(f"return {{**described({server.url!r}, '.'), 'stores': [], 'logs': [], 'waive': [{waived}]}}")
        result = run(*FEW)
    assert result.ret == 3
    result.stdout.fnmatch_lines(["unreachable: 127.0.0.1:* closed the connection without an answer"])


@ALONE_AND_XDIST
def test_without_fixture_and_file_nothing_is_judged(run, pytester, workers):
    """Where neither a fixture nor a file gives a target nothing runs, and the reference is not judged in silence."""
    pytester.makepyfile("def test_mine(): print('I ran')")
    result = run("--payproof", *workers)
    assert result.ret == 4
    told = result.stdout if workers else result.stderr
    told.fnmatch_lines(["*no target: there is no payproof.toml *"])


def test_what_the_target_prints_is_masked(run, given, server, pytester):
    """What pytest has captured of a server in its own process is shown without what must not be shown."""
    given(f"return described({server.url!r}, '.')")
    (pytester.path / "test_billing.py").write_text(
        "import os\n\ndef test_own(payproof):\n"
        f"    print('signed with', os.environ[{SECRET_ENV!r}])\n    payproof.deliver('invoice.paid').rejected()\n"
    )
    result = run("--junit-xml", "junit.xml")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*Captured stdout call*", "signed with ?secret: webhook secret?"])
    assert SECRET not in result.stdout.str() + (pytester.path / "junit.xml").read_text()


def test_a_failing_fixture_fails_its_tests(run, given):
    """An exception of the fixture is pytest's own error, for cases too."""
    given("raise RuntimeError('no port')")
    result = run(*FEW)
    assert result.ret == 1
    assert result.parseoutcomes()["errors"] == 3


@ALONE_AND_XDIST
def test_ini_options_name_target_and_scenarios(run, pytester, server, workers):
    """The configuration of pytest names a target file and folders of scenarios, relative to itself."""
    (pytester.path / "described").mkdir()
    (pytester.path / "rules").mkdir()
    rule = "title: A rule\nseverity: low\nrequirement: [PCI DSS 3.3.1]\ndo: [deliver]\nexpect: [accepted, applied]\n"
    (pytester.path / "rules" / "mine.yaml").write_text(rule + "cases: {one: {}}\n")
    described = sources(str(pytester.path / "billing.db"), str(pytester.path / "billing.log"))
    target_file(pytester.path / "described", server.url, sources=described, waive=())
    pytester.makeini("[pytest]\npayproof_target = described/target.toml\npayproof_scenarios = rules\n")
    pytester.makepyfile(OWN)
    result = run("--payproof", "-m", "payproof_rules", "--strict-markers", *workers)
    assert (result.ret, result.parseoutcomes()["passed"]) == (0, 1), result.stdout.str()
    assert run().parseoutcomes() == {"passed": 2}
    pytester.makeini("[pytest]\npayproof_target = none.toml\n")
    result = run("--payproof", *workers)
    assert result.ret == 4


def test_options_and_the_environment_name_scenarios(run, given, server, pytester, monkeypatch):
    """Folders of scenarios are named by an option and by a variable; one that the fixture names comes too late."""
    rule = "title: A rule\nseverity: low\nrequirement: [PCI DSS 3.3.1]\ndo: [deliver]\nexpect: [accepted, applied]\n"
    for name in ("rules", "others"):
        (pytester.path / name).mkdir()
        (pytester.path / name / "mine.yaml").write_text(rule + "cases: {one: {}}\n")
    given(f"return {{**described({server.url!r}, '.'), 'scenarios': ['rules']}}")
    monkeypatch.setenv("PAYPROOF_SCENARIOS", "others")
    chosen = ("--payproof", "-m", "payproof_others or payproof_rules")
    result = run(*chosen, "--payproof-scenarios", "rules")
    assert (result.ret, result.parseoutcomes()["passed"]) == (0, 2)
    result = run(*chosen)
    assert result.ret == 4
    result.stdout.fnmatch_lines(
        ["payproof_target: cases were collected before */rules was named; name it by the ini *"]
    )
    (pytester.path / "rules" / "mine.yaml").write_text("title: [")
    result = run("--payproof", "--payproof-scenarios", "rules")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: payproof: rules/mine.yaml:2: not YAML: *"])
