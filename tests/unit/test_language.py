import re
from collections import Counter
from dataclasses import dataclass

import pytest

from payproof.domain.finding import Severity
from payproof.domain.kind import Kind
from payproof.domain.needs import NEEDS
from payproof.domain.scenario import Requirement
from payproof.domain.target import ProcessSpec, StoreOutage
from payproof.errors import ConfigurationError
from payproof.language import read_scenario, read_scenarios, read_target
from payproof.language.file_model import FileModel
from payproof.session import all_scenarios, choose
from payproof.steps.take_down import TakeDown

SECRET = "whsec_" + "0123456789abcdefghij"
TARGET = """\
name = "staging"
url = "https://billing.example:8443/"
environment = "staging"

[webhook]
path = "/hooks"
secret_env = "HOOK"
api_version = "2025-03-31.basil"

[[stores]]
name = "a"
url = "sqlite:a.db"

[[stores]]
name = "b"
url = "sqlite:b.db"
ignore = ["sessions"]

[contract]
rejected = [400]
answer_within = 3
"""
SCENARIO = """\
title: A rule
severity: high
requirement: [{id: R1, says: It must.}]
control:
  do: [deliver]
  expect: [accepted, applied]
do: [deliver]
with: {signature: missing.no_header}
expect: [rejected]
cases:
  one: {}
  two:
    with: {body: compact}
defects: {no_verification: rejected}
"""


def target(tmp_path, text=TARGET, **environment):
    """Read a target file."""
    file = tmp_path / "t.toml"
    file.write_text(text, encoding="utf-8")
    return read_target(file, {"HOOK": SECRET, **environment})


def test_target(tmp_path):
    """A target file is read with its secret from the environment and its paths relative to itself."""
    read = target(tmp_path)
    assert (read.url, read.webhook.path, read.webhook.secret.reveal()) == (
        "https://billing.example:8443",
        "/hooks",
        SECRET,
    )
    assert [store.url for store in read.stores] == [f"sqlite:{tmp_path}/a.db", f"sqlite:{tmp_path}/b.db"]
    assert read.stores[1].ignore == ("sessions",)
    assert (read.contract.rejected, read.contract.answer_within) == ({400}, 3.0)
    assert read.allowed == {"billing.example:8443"}
    assert read.budget.search_seconds == 600
    limited = target(tmp_path, TARGET + "[budget]\nsearch_seconds = 5\npatience = 3\n")
    assert (limited.budget.search_seconds, limited.budget.patience) == (5.0, 3.0)
    assert limited.budget.scale_seconds(10.0) == 30.0


def test_framework(tmp_path):
    """A target file may name its web framework; without the key it is not known, and another name is refused."""
    assert target(tmp_path).contract.framework == ""
    assert target(tmp_path, TARGET + 'framework = "nextjs"\n').contract.framework == "nextjs"
    with pytest.raises(ConfigurationError, match=r"'contract.framework' is not right"):
        target(tmp_path, TARGET + 'framework = "next"\n')


SEVERITY = """
[[contract.severities]]
rule = "error_handling/disclosure"
severity = "low"
reason = "nobody but our gateway sees it"
kind = "text of Stripe or its SDK"
spot = "POST /webhook, 4xx"
[[contract.severities]]
rule = "webhook_signature/*"
severity = "high"
reason = "a test of the whole topic"
"""


def test_severities(tmp_path):
    """A target file gives problems of a rule, or of a kind and spot of it, another severity, with a reason."""
    assert target(tmp_path).contract.severities == ()
    one, two = target(tmp_path, TARGET + SEVERITY).contract.severities
    assert (one.rule, one.severity, one.reason) == (
        "error_handling/disclosure",
        Severity.LOW,
        "nobody but our gateway sees it",
    )
    assert (one.kind, one.spot) == (Kind.SDK_TEXT, "POST /webhook, 4xx")
    assert (two.rule, two.severity, two.kind, two.spot) == ("webhook_signature/*", Severity.HIGH, "", "")


@pytest.mark.parametrize("kind", [*Kind, "applied"])
def test_severity_of_each_kind(tmp_path, kind):
    """Each kind may have another severity, and so may what a check finds that names no kind."""
    text = SEVERITY.replace("text of Stripe or its SDK", kind)
    assert target(tmp_path, TARGET + text).contract.severities[0].kind == kind


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("error_handling/disclosure", "disclosure", "a rule such as error_handling/disclosure, or with *"),
        ("error_handling/disclosure", "error_handling/disclosure[case]", "a rule such as"),
        ('severity = "low"', 'severity = "none"', "it should be 'low', 'medium', 'high' or 'critical'"),
        ("nobody but our gateway sees it", "because", "at least 10 characters"),
        ('reason = "nobody but our gateway sees it"\n', "", "'contract.severities.0.reason' is missing"),
        ("text of Stripe or its SDK", "text of Stripe's SDK", "did you mean 'text of Stripe or its SDK'?"),
        ("text of Stripe or its SDK", "?", "a kind of a problem, as reports name it"),
        ("kind =", "kinds =", "did you mean 'kind'?"),
    ],
)
def test_wrong_severities(tmp_path, old, new, said):
    """A severity without a reason, of a kind that there is not, or of no rule, is refused with what would be right."""
    with pytest.raises(ConfigurationError) as raised:
        target(tmp_path, TARGET + SEVERITY.replace(old, new, 1))
    assert said in str(raised.value)


RETENTION = """
[retention]
purge = ["billing", "purge"]
purge_at = ["faketime", "@{time}", "billing", "purge"]
writer_env = "WRITER"
[[retention.rows]]
table = "payments"
days = 400
event = "charge.succeeded"
[[retention.rows]]
table = "inbox"
days = 90
event = "charge.succeeded"
age = "arrival"
[[retention.rows]]
table = "operations"
days = 1
values = { id = "op_{id}", at = "{time}", tries = 1, done = true }
stays_with = [{ done = false }]
[[retention.rows]]
table = "sessions"
days = 7
"""


def test_a_key_is_carried_to_the_field_of_its_name():
    """A key of a table needs no other place: it becomes the field of its name, a list a set where the field is one."""

    @dataclass(frozen=True)
    class Tea:
        name: str
        minutes: float = 3.0
        sorts: frozenset[str] = frozenset({"green"})

    class TeaTable(FileModel):
        name_env: str = "NAME"
        minutes: float = Tea.minutes
        sorts: tuple[str, ...] = ("green",)

    assert TeaTable().mean(Tea, name="Assam") == Tea("Assam")
    assert TeaTable(minutes=5.0, sorts=("black", "black")).mean(Tea, name="Assam") == Tea(
        "Assam", 5.0, frozenset({"black"})
    )
    assert TeaTable(minutes=5.0).mean(Tea, name="Assam", minutes=1.0) == Tea("Assam", 1.0)


def test_retention(tmp_path):
    """Each table says what makes a row of it; the address of the role that writes some comes from a variable."""
    read = target(tmp_path, TARGET + RETENTION, WRITER="postgresql://owner:s3cret-password@h/d")
    assert [rows.planted for rows in read.contract.kept_rows] == ["delivered", "recorded", "written", ""]
    assert [rows.margin for rows in read.contract.kept_rows] == [2, 2, 0.5, 2]
    assert (read.retention.writer.url, read.retention.writer.password.reveal()) == (
        "postgresql://owner@h/d",
        "s3cret-password",
    )
    assert "s3cret-password" not in repr(read)
    assert all(NEEDS[f"retention_{how}"].is_offered(read) for how in ("delivered", "recorded", "written"))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('writer_env = "WRITER"', "", "the values of 'operations' need writer_env"),
        ('writer_env = "WRITER"', 'writer_env = "UNSET"', "the environment variable UNSET is not set"),
        ('writer_env = "WRITER"', 'writer_env = "REDIS"', "unknown scheme in the URL of 'writer'"),
        ('purge_at = ["faketime", "@{time}", "billing", "purge"]', "", "the age of 'inbox' needs purge_at"),
        ("@{time}", "tomorrow", "purge_at needs {time} or {seconds}"),
        ('age = "arrival"', 'age = "birth"', "'retention.rows.1.age' is not right"),
        ("days = 400", "days = 2", "rows that events make need 3 days or more"),
        ('event = "charge.succeeded"', 'event = "charge.succeeded"\nvalues = { a = 1 }', "either event, or values"),
        ('id = "op_{id}"', 'id = "op"', "values need {id} in a column"),
        ('at = "{time}"', "at = 7", "values need {time} or {date} in a column"),
        ("tries = 1", "tries = [1]", "is not right"),
        (
            'table = "sessions"',
            'table = "sessions"\nstays = ["a.b"]',
            "stays is for rows whose age is that of an event",
        ),
        ('table = "sessions"', 'table = "sessions"\nstays_with = [{ a = 1 }]', "stays_with is for rows with values"),
    ],
)
def test_wrong_retention(tmp_path, old, new, said):
    """What is wrong with the rows of a retention is told in one line, without what the variable holds."""
    text = (TARGET + RETENTION).replace(old, new, 1)
    with pytest.raises(ConfigurationError) as raised:
        target(tmp_path, text, WRITER="postgresql://owner:s3cret-password@h/d", REDIS="redis://:s3cret-password@h/0")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_store_outage(tmp_path):
    """How the store is taken away, what may be said meanwhile, and the effort of fuzzing are read."""
    text = (
        TARGET
        + 'without_store = [500, 503]\n[store_outage]\ndown = ["stop", "db"]\nup = ["start", "db"]\nseconds = 5\n'
    )
    read = target(tmp_path, text + "[fuzzing]\neffort = 20\n")
    assert read.store_outage == StoreOutage(("stop", "db"), ("start", "db"), folder=str(tmp_path), seconds=5.0)
    assert NEEDS["store_outage"].is_offered(read)
    assert read.store_faults == {}
    faults = '[store_faults.read_only]\ndown = ["follow", "db"]\nup = ["lead", "db"]\n'
    failing = target(tmp_path, TARGET + faults)
    assert failing.store_faults == {"read_only": StoreOutage(("follow", "db"), ("lead", "db"), folder=str(tmp_path))}
    assert TakeDown(fault="read_only").unfit(failing) is None
    assert TakeDown(fault="restarted").unfit(failing).wants == ("[store_faults]",)
    assert read.contract.without_store == {500, 503}
    assert read.budget.effort == 20
    assert not NEEDS["store_outage"].is_offered(target(tmp_path))
    assert target(tmp_path).budget.effort == 1


def test_process(tmp_path):
    """How an instance is started is read; without a start, or with a restart alone, none is."""
    local = TARGET.replace("https://billing.example:8443/", "http://127.0.0.1:8000")
    text = """
[process]
start = ["serve", "--port={port}"]
environment = { MODE = "test", AT = "{port}" }
environment_env = ["DATABASE_URL"]
secret_variable = "HOOK_SECRET"
api_key_variable = "KEY"
ready = "/health"
seconds = 5
refuses_live_keys = true
"""
    read = target(tmp_path, local + text, DATABASE_URL="postgresql://billing.example/billing")
    assert read.process == ProcessSpec(
        ("serve", "--port={port}"),
        folder=str(tmp_path),
        environment={"DATABASE_URL": "postgresql://billing.example/billing", "MODE": "test", "AT": "{port}"},
        ready="/health",
        seconds=5.0,
        secret_variable="HOOK_SECRET",
        api_key_variable="KEY",
        refuses_live_keys=True,
    )
    needs = ("process", "process_secret", "process_api_key", "refuses_live_keys")
    assert all(NEEDS[need].is_offered(read) for need in needs)
    for other in (target(tmp_path), target(tmp_path, TARGET + '[process]\nrestart = ["a"]\n')):
        assert not any(NEEDS[need].is_offered(other) for need in needs)
    with pytest.raises(ConfigurationError, match="environment variable DATABASE_URL is not set; the instance"):
        target(tmp_path, local + text)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("[contract]", "[process]\nseconds = 5\n[contract]", 19, "start, restart, or both"),
        ("[contract]", "[process]\nstart = ['a']\n[contract]", 19, "port_variable, or {port} in a word of it"),
        ("[contract]", "[process]\nstart = ['{port}']\n[contract]", 20, "started on this machine, where the url is"),
        ("[contract]", "[process]\nstart = ['{port}']\nrefuses_live_keys = true\n[contract]", 19, "api_key_variable"),
        ('name = "staging"', "name = ", 1, "not TOML: Invalid value"),
        ("answer_within = 3", 'answer_within = "3', 21, "not TOML: "),
        ("answer_within = 3", "answer_within = [", 21, "not TOML: Invalid value"),
        ("answer_within = 3", "answer_within = 0", 21, "answer_within' is not right; it should be greater than 0"),
        ("[contract]", "[budget]\nsearch_seconds = 0\n[contract]", 20, "it should be greater than 0"),
        ("[contract]", "[budget]\nsearch_seconds = nan\n[contract]", 20, "'budget.search_seconds' is not right; "),
        ("[contract]", "[budget]\nsearch_seconds = inf\n[contract]", 20, "less than or equal to 86400"),
        ("[contract]", "[budget]\nsearch_seconds = '1h'\n[contract]", 20, "'budget.search_seconds' is not right; "),
        ("[contract]", "[budget]\nsearch_second = 9\n[contract]", 20, "did you mean 'search_seconds'?"),
        ("answer_within = 3", "anwser_within = 3", 21, "did you mean 'answer_within'?"),
        ("rejected = [400]", "rejected = [200]", 20, "'contract.rejected.0' is not right"),
        ("rejected = [400]", "rejected = []", 20, "'contract.rejected' is not right"),
        ('name = "b"', 'nam = "b"', 15, "did you mean 'name'?"),
        ('url = "sqlite:b.db"', 'url = "sqlit:b.db"', 16, "in the URL of 'b'; did you mean 'sqlite'?"),
        ('url = "sqlite:b.db"', 'url = "b.db"', 16, "unknown scheme"),
        ('url = "sqlite:b.db"', 'url = "postgrs://u@h/d"', 16, "did you mean 'postgresql'?"),
        ('url = "sqlite:b.db"', 'url = "postgresqll://u@h/d"', 16, "did you mean 'postgresql'?"),
        ('url = "sqlite:b.db"', 'url = "postgresql:d"', 16, "the URL of 'b' is not right; it is no URL"),
        ('url = "sqlite:b.db"', 'url = "postgresql://h d/d"', 16, "it is no URL"),
        ('url = "sqlite:b.db"', 'url = "postgresql://["', 16, "it is no URL"),
        ('url = "sqlite:b.db"', "", 14, "'stores.1' is not right; either url, or url_env for a URL with a password"),
        ('url = "sqlite:b.db"', 'url = "sqlite:b.db"\nurl_env = "B"', 14, "either url, or url_env"),
        ('url = "sqlite:b.db"', 'url_env = "UNSET"', 16, "variable UNSET is not set; it must hold the URL of 'b'"),
        ("[webhook]", "[webhok]", 5, "unknown key 'webhok'; did you mean 'webhook'?"),
        ('path = "/hooks"', 'path = "hooks"', 6, "a path that starts with '/'"),
        ('"staging"\n\n', '"prod"\n\n', 3, "it should be 'local', 'staging' or 'production'"),
        ("https://billing.example:8443/", "https://user:pw@billing.example", 2, "only scheme, host and port"),
        ("https://billing.example:8443/", "https://:pw@billing.example", 2, "only scheme, host and port"),
        ("https://billing.example:8443/", "https://billing.example:99999", 2, "'url' is not right; port out of range"),
        ("https://billing.example:8443/", "https://[", 2, "'url' is not right; invalid IPv6 URL"),
        ("https://billing.example:8443/", "https://billing.example/hooks", 2, "the webhook's path goes into"),
        ("https://billing.example:8443/", "ftp://billing.example", 2, "a base URL such as"),
        ("https://billing.example:8443/", "http://10.0.0.1", 2, "plain HTTP carries the run's secrets in clear"),
        ("[contract]", "[store_outage]\ndown = ['stop']\n[contract]", 19, "either down and up, or hold"),
        ("[contract]", "[store_faults.slow]\nhold = ['slow']\n[contract]", 19, "store_faults.slow"),
        ("[contract]", "[store_outage]\nup = ['a']\ndown = ['b']\nhold = ['c']\n[contract]", 19, "either down and up"),
        ("[contract]", "[store_outage]\nhold = []\n[contract]", 20, "'store_outage.hold' is not right"),
        ("[contract]", "[fuzzing]\neffort = 0\n[contract]", 20, "'fuzzing.effort' is not right"),
        ('secret_env = "HOOK"', 'secret_env = "UNSET"', 7, "the environment variable UNSET is not set"),
        ('secret_env = "HOOK"', f'secret_env = "{SECRET}"', 7, "'webhook.secret_env' is no name of a"),
        ("[[stores]]", "[[waive]]\nchannel = 'store'\nreason = 'because'\n[[stores]]", 12, "at least 10 characters"),
    ],
)  # fmt: skip
def test_wrong_target(tmp_path, old, new, line, said):
    """What is wrong in a target file is told in one line, with the file, the line, and what would be right."""
    with pytest.raises(ConfigurationError) as raised:
        target(tmp_path, TARGET.replace(old, new, 1))
    text = str(raised.value)
    assert text.startswith(f"{tmp_path}/t.toml:{line}: ")
    assert said in text
    assert "\n" not in text
    assert SECRET not in text


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "is not set"),
        (" \n", "is not set"),
        ("whsec", "is too short for a secret"),
        ("whsec_0123456789\n", "spaces at its ends"),
        ("whsec_ü0123456789", "non-ASCII"),
        ("sk_" + "live_0123456789", "live Stripe key"),
    ],
)
def test_wrong_secret(tmp_path, value, said):
    """A secret that cannot be one is refused where its variable is named, and is not shown."""
    with pytest.raises(ConfigurationError) as raised:
        target(tmp_path, HOOK=value)
    assert "t.toml:7: " in str(raised.value)
    assert said in str(raised.value)
    assert not value.strip() or len(value) < 8 or value not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "clean", "password"),
    [
        ("postgresql://u:p%40ss%2Fword%3A@h:1,g:2/d?a=b", "postgresql://u@h:1,g:2/d?a=b", "p@ss/word:"),
        ("postgresql://u:p@ss:word@h/d", "postgresql://u@h/d", "p@ss:word"),
        ("postgresql://u:@/d?host=/run/x", "postgresql://u@/d?host=/run/x", None),
        ("postgresql:///d", "postgresql:///d", None),
        ("postgresql://[::1]:5432/d\n", "postgresql://[::1]:5432/d", None),
    ],
)
def test_password_of_a_store_comes_from_a_variable(tmp_path, url, clean, password):
    """A URL with a password stands in a variable; it is taken apart, and no printed form shows the password."""
    text = TARGET.replace('url = "sqlite:b.db"', 'url_env = "STORE"')
    store = target(tmp_path, text, STORE=url).stores[1]
    assert store.url == clean
    assert (None if store.password is None else store.password.reveal()) == password
    assert password is None or password not in repr(store)


@pytest.mark.parametrize("key", ["url", "url_env"])
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql://u:hid/den@h/d", "must be written as %XX"),
        ("postgresql://u:hid?den@h/d", "must be written as %XX"),
        ("postgresql://u:hid#den@h/d", "must be written as %XX"),
        ("postgresql://h/d?user=u&password=hidden", "the place of the password is before the @"),
        ("postgresql://h/d?sslpassword=hidden", "the place of the password is before the @"),
        ("hidden://u:hidden@h/d", "unknown scheme"),
        ("postgresql://u:hidden@h[/d", "it is no URL"),
        ("postgresql://u:hid\u2100den@h/d", "it is no URL"),
    ],
)
def test_misplaced_password_is_refused_and_not_shown(tmp_path, key, url, said):
    """A URL in which a part of a password may stand elsewhere is refused, without a word of it."""
    text = TARGET.replace('url = "sqlite:b.db"', f'url = "{url}"' if key == "url" else 'url_env = "STORE"')
    with pytest.raises(ConfigurationError) as raised:
        target(tmp_path, text, STORE=url)
    line = str(raised.value)
    assert line.startswith(f"{tmp_path}/t.toml:16: ")
    assert said in line
    assert not {"hidden", "hid", "den"} & set(re.split(r"[^a-z]+", line)) or (key == "url" and "scheme" in said)


def test_password_in_the_file_is_refused(tmp_path):
    """A password in clear in a target file is refused, with what to do instead, and not shown."""
    with pytest.raises(ConfigurationError) as raised:
        target(tmp_path, TARGET.replace("sqlite:b.db", "postgresql://u:hidden@h/d"))
    assert str(raised.value) == (
        f"{tmp_path}/t.toml:16: the URL of 'b' holds a password; put the URL into a variable and name that with url_env"
    )


@pytest.mark.parametrize(("password", "searched"), [("postgres", False), ("4cXo9vLqkR2mTzWa", True)])
def test_only_long_passwords_are_searched_for(tmp_path, password, searched):
    """A password that may be a word of any text is no value whose presence proves a leak; a long one is."""
    text = TARGET.replace('url = "sqlite:b.db"', 'url_env = "STORE"')
    read = target(tmp_path, text, STORE=f"postgresql://u:{password}@h/d")
    assert (password in {secret.reveal() for secret in read.secrets}) == searched


def test_target_nested_too_deep(tmp_path):
    """A target file that is made to exhaust the parser is refused."""
    with pytest.raises(ConfigurationError, match="nested too deep"):
        target(tmp_path, "a = " + "[" * 100_000)


def scenario(tmp_path, text=SCENARIO):
    """Read a scenario file."""
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    return read_scenario(file, "t/s")


def test_scenario(tmp_path):
    """A scenario has its cases, each with the shared parameters and its own."""
    read = scenario(tmp_path)
    assert [case.id for case in read.cases] == ["t/s[one]", "t/s[two]"]
    first, second = (case.phase.steps[0] for case in read.cases)
    assert (first.signature, first.body) == ("missing.no_header", "pretty")
    assert (second.signature, second.body) == ("missing.no_header", "compact")


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("title: A rule", "title: [A rule", 2, "not YAML"),
        ("severity: high", "\tseverity: high", 2, "not YAML"),
        ("severity: high", "severity: hihg", 2, "it should be 'low', 'medium', 'high' or 'critical'"),
        ("severity: high", "severty: high", 2, "did you mean 'severity'?"),
        ("says: It must.", "say: It must.", 3, "did you mean 'says'?"),
        ("requirement: [{id: R1, says: It must.}]", "requirement: []", 3, "'requirement' is not right"),
        ("{id: R1, says: It must.}", "R2", 3, "unknown requirement 'R2'; give it 'id', 'says' and 'source' here"),
        ("  do: [deliver]", "  do: [delivr]", 5, "unknown step 'delivr'; did you mean 'deliver'?"),
        ("\ndo: [deliver]", "\ndo: [deliver, repaly]", 7, "unknown step 'repaly'; did you mean 'replay'?"),
        ("\ndo: [deliver]", "\ndo: [{deliver: {signatur: valid}}]", 7, "did you mean 'signature'?"),
        ("\ndo: [deliver]", "\ndo: []", 7, "'do' is not right"),
        ("\ndo: [deliver]", "\ndo: [{deliver: {}, replay: {}}]", 7, "one entry names one part"),
        ("\ndo: [deliver]", "\ndo: [deliver, {replay: {times: many}}]", 7, "'times' of 'replay' is not right"),
        ("with: {signature: missing.no_header}", "with: {signatur: x}", 7, "no step takes the parameter 'signatur'"),
        ("missing.no_header", "missing.no_heder", 7, "missing.no_header"),
        ("with: {body: compact}", "with: {body: compat}", 12, "'pretty', 'compact'"),
        ("with: {body: compact}", "wth: {body: compact}", 13, "did you mean 'with'?"),
        ("with: {body: compact}", "needs: [stor]", 13, "unknown need 'stor'; did you mean 'store'?"),
        ("expect: [rejected]", "expect: [rejectd]", 9, "unknown check 'rejectd'; did you mean 'rejected'?"),
        ("expect: [rejected]", "expect: [{rejected: {at: 1}}]", 9, "'at: 1' is no step; steps are counted 0 to 0"),
        ("expect: [rejected]", "expect: [{rejected: {at: true}}]", 9, "'at: True' is no step"),
        ("no_verification: rejected", "no_verification: rejectd", 14, "unknown check 'rejectd'"),
        ("control:\n  do: [deliver]\n  expect: [accepted, applied]\n", "", 8, "case 'one' has no positive control"),
    ],
)  # fmt: skip
def test_wrong_scenario(tmp_path, old, new, line, said):
    """What is wrong in a scenario is told in one line, with the file, the line, and the nearest right word."""
    assert old in SCENARIO
    with pytest.raises(ConfigurationError) as raised:
        scenario(tmp_path, SCENARIO.replace(old, new, 1))
    text = str(raised.value)
    assert said in text
    assert "\n" not in text
    assert text.startswith(f"{tmp_path}/s.yaml:{line}: ")


def scenario_folder(tmp_path, asked, shared):
    """Read a folder with one scenario and a file of requirements."""
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "s.yaml").write_text(SCENARIO.replace("[{id: R1, says: It must.}]", asked), encoding="utf-8")
    (tmp_path / "requirements.yaml").write_text(shared, encoding="utf-8")
    return read_scenarios(tmp_path)


def test_requirement_by_its_id(tmp_path):
    """A scenario refers to a shared requirement by its id, and may have one of its own beside it."""
    (read,) = scenario_folder(tmp_path, "[S 1, {id: R1, says: It must.}]", "S 1: {says: It shall., source: A book}")
    assert read.requirements == (Requirement("S 1", "It shall.", "A book"), Requirement("R1", "It must."))


@pytest.mark.parametrize(
    ("asked", "shared", "place", "said"),
    [
        ("[S 2]", "S 1: {says: a, source: b}", "t/s.yaml:3", "unknown requirement 'S 2'; did you mean 'S 1'?"),
        ("[{id: S 1, says: a}]", "S 1: {says: a, source: b}", "t/s.yaml:3", "refer to it by its id alone: '- S 1'"),
        ("[S 1]", "S 1: {says: a, source: b}\nS 2: {says: a, source: b}", "requirements.yaml:2", "no scenario refers"),
        ("[S 1]", "S 1:\n  says: a", "requirements.yaml:1", "'S 1.source' is missing"),
        ("[S 1]", "S 1: {says: a, sorce: b}", "requirements.yaml:1", "did you mean 'source'?"),
        ("[S 1]", "[S 1]", "requirements.yaml", "a mapping of ids"),
        ("[S 1]", "S 1: [", "requirements.yaml:2", "not YAML"),
    ],
)  # fmt: skip
def test_wrong_shared_requirement(tmp_path, asked, shared, place, said):
    """What is wrong between scenarios and shared requirements is told in one line, with the file and the line."""
    with pytest.raises(ConfigurationError) as raised:
        scenario_folder(tmp_path, asked, shared)
    assert said in str(raised.value)
    assert str(raised.value).startswith(f"{tmp_path}/{place}: ")


def test_no_sentence_stands_in_two_scenarios():
    """A requirement of several scenarios stands once, in requirements.yaml: the same sentence is the same entry."""
    read = [requirement for one in all_scenarios() for requirement in one.requirements]
    assert all(requirement.source for requirement in read)
    # A shared one is the same object wherever it is referred to.
    once = {id(requirement): requirement.says for requirement in read}
    assert [says for says, times in Counter(once.values()).items() if times > 1] == []


@pytest.mark.parametrize("text", ["", "[]", "just words", "--- a\n--- b\n", "\x00", "&a [*a]"])
def test_what_is_no_scenario(tmp_path, text):
    """A file that is no mapping, or no YAML at all, is refused with its name."""
    with pytest.raises(ConfigurationError) as raised:
        scenario(tmp_path, text)
    assert str(raised.value).startswith(f"{tmp_path}/s.yaml")


def test_scenario_that_is_no_text(tmp_path):
    """A scenario that is not UTF-8 is refused."""
    (tmp_path / "s.yaml").write_bytes(b"title: \xff")
    with pytest.raises(ConfigurationError, match="not UTF-8: byte 7"):
        read_scenario(tmp_path / "s.yaml", "t/s")


def test_every_control_can_prove_something():
    """Each scenario has a control that expects an effect, or cases that do, or checks that bring their own control."""
    for one in all_scenarios():
        phases = [one.control] if one.control is not None else [case.phase for case in one.cases]
        for phase in phases:
            expected = {check.name for check in phase.expect}
            alone = one.control is None and all(check.own_control for check in phase.expectations)
            assert alone or ("accepted" in expected and expected & {"applied", "called", "granted"}), one.id


def test_what_is_excluded_is_not_chosen():
    """A scenario or a case can be left out of what is chosen; one that there is not is refused."""
    scenarios = all_scenarios()
    left = {
        case.id
        for _, case in choose(
            scenarios, excluding=["webhook_signature/future", "webhook_signature/valid[invoice.paid]"]
        )
    }
    gone = {case.id for _, case in choose(scenarios)} - left
    assert "webhook_signature/valid[invoice.paid]" in gone
    assert {one.partition("[")[0] for one in gone} == {"webhook_signature/future", "webhook_signature/valid"}
    with pytest.raises(ConfigurationError, match="unknown scenario 'webhook_signature/futur'"):
        choose(scenarios, excluding=["webhook_signature/futur"])
    with pytest.raises(ConfigurationError, match="nothing would be run of scenario"):
        choose(scenarios, ids=["webhook_signature/future[1d]"], excluding=["webhook_signature/future"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"ids": ["webhook_signature/mising"]}, "did you mean 'webhook_signature/missing'?"),
        ({"ids": ["webhook_signature/missing[no_heder]"]}, "did you mean 'webhook_signature/missing[no_header]'?"),
        ({"topics": ["webhook_signatures"]}, "did you mean 'webhook_signature'?"),
    ],
)
def test_unknown_choice(asked, said):
    """An unknown scenario, case or topic is refused with the nearest one."""
    with pytest.raises(ConfigurationError) as raised:
        choose(all_scenarios(), **asked)
    assert said in str(raised.value)
