from pathlib import Path

import pytest

from payproof.domain.target import Environment
from payproof.errors import ConfigurationError
from payproof.language import read_target, read_target_mapping

SECRET = "whsec_" + "0123456789abcdefghij"
OTHER = "whsec_" + "another0123456789"
HOOK = {"path": "/hooks", "secret": SECRET, "api_version": "2025-03-31.basil"}
GIVEN = {"url": "http://127.0.0.1:8123", "webhook": HOOK}
BASE = """\
name = "billing"
url_env = "BILLING_URL"
environment = "staging"

[webhook]
path = "/hooks"
secret_env = "HOOK"
api_version = "2025-03-31.basil"

[contract]
rejected = [400]
"""


def read(given, folder=Path("/srv"), **environment):
    """Read what a test-suite gives."""
    return read_target_mapping(given, place="payproof_target", folder=folder, environment=environment)


def refused(given, folder=Path("/srv"), **environment):
    """Read what is wrong; return the line."""
    with pytest.raises(ConfigurationError) as raised:
        read(given, folder, **environment)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_values_stand_where_a_file_names_variables():
    """A secret, a key, a credential and a URL with a password are given as they are, and known as secrets."""
    given = GIVEN | {
        "api_key": "sk_" + "test_" + "0123456789abcdef",
        "principals": {"manager": {"credential": "a token of nobody's"}},
        "stores": [{"name": "database", "url": "postgresql+psycopg2://u:a-long-password-of-it@127.0.0.1:5433/d"}],
        "logs": ({"name": "log", "url": "file:app.log"},),
    }
    target = read(given)
    assert target.webhook.secret.reveal() == SECRET
    assert [store.url for store in target.stores] == ["postgresql://u@127.0.0.1:5433/d"]
    assert target.logs[0].url == "file:/srv/app.log"
    held = {secret.reveal() for secret in target.secrets}
    assert {SECRET, given["api_key"], "a token of nobody's", "a-long-password-of-it"} == held
    assert (target.name, target.environment) == ("the target of this test-suite", Environment.LOCAL)
    assert given["webhook"] is HOOK  # what the test-suite holds is left as it is


def test_variables_may_be_named_too(tmp_path):
    """What a target file may say a mapping may say, and a path may be a path."""
    hook = {"path": "/hooks", "secret_env": "HOOK", "api_version": "x"}
    given = {"url": "http://localhost:1", "webhook": hook, "logs": [{"name": "l", "url": f"file:{tmp_path / 'a.log'}"}]}
    (tmp_path / "ca.pem").touch()
    target = read(given | {"ca_file": tmp_path / "ca.pem"}, HOOK=SECRET)
    assert target.webhook.secret.reveal() == SECRET
    assert target.ca_file == str(tmp_path / "ca.pem")
    assert target.logs[0].url == f"file:{tmp_path}/a.log"


def test_a_base_is_added_to(tmp_path):
    """Tables of the base are added to, what is given replaces what it says, in whichever way it said it."""
    (tmp_path / "payproof.toml").write_text(BASE)
    given = {"base": "payproof.toml", "url": "http://127.0.0.1:1", "webhook": {"secret": OTHER}}
    target = read(given, tmp_path)
    assert (target.name, target.url, target.environment) == ("billing", "http://127.0.0.1:1", Environment.STAGING)
    assert (target.webhook.path, target.webhook.secret.reveal()) == ("/hooks", OTHER)
    assert target.contract.rejected == {400}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"url": None}, "payproof_target: 'url' is missing; the base of the target"),
        ({"url": "https://billing.example"}, "payproof_target: 'environment' is missing"),
        ({"url": "http://10.0.0.1", "environment": "local"}, "plain HTTP carries the run's secrets in clear"),
        ({"url": 8123, "environment": "local"}, "payproof_target: 'url' is not right; it should be a text"),
        ({"webhook": {"path": "/hooks", "api_version": "x"}}, "'webhook.secret' is missing; or 'secret_env', a"),
        ({"webhook": HOOK | {"secret": ""}}, "payproof_target: 'webhook.secret' is empty; give its value"),
        ({"webhook": HOOK | {"secret": b"whsec_"}}, "payproof_target: 'webhook.secret' is no text"),
        ({"webhook": HOOK | {"secret": "sk_" + "live_" + "0" * 20}}, "webhook.secret holds a live Stripe key; "),
        ({"webhook": HOOK | {"secret": "whsec_..."}}, "payproof_target: webhook.secret holds a placeholder"),
        ({"webhook": HOOK | {"sekret": "x"}}, "unknown key 'webhook.sekret'; did you mean 'secret_env'?"),
        ({"webhook": HOOK | {"secret_env": "X"}}, "'webhook.secret' is given twice; remove 'secret_env'"),
        ({"stroes": []}, "payproof_target: unknown key 'stroes'; did you mean 'stores'?"),
        ({3: "x"}, "payproof_target: the key 3 is no text"),
        ({"base": 3}, "payproof_target: 'base' is not right; it names a target file"),
        ({"base": "no.toml"}, "/srv/no.toml: the target file cannot be read: No such file or directory"),
        ({"stores": [{"name": "d", "url": "sqlite::memory:"}]}, "payproof_target: the database of 'd' is in memory, "),
        (
            {"stores": [{"name": "d", "url": "sqlite:file:memorydb_default?mode=memory&cache=shared"}]},
            "payproof_target: the database of 'd' is in memory, where its own process alone sees it; give it a file ",
        ),
        ({"stores": [{"name": "d", "url": "sqlite://"}]}, "payproof_target: the database of 'd' is in memory, "),
        ({"stores": [{"name": "d", "url": "postgresql://u:a/b@h/d"}]}, "payproof_target: the URL of 'd' is not right"),
    ],
)  # fmt: skip
def test_wrong_mapping(changed, said):
    """What is wrong in a mapping is told as in a file, with what gives it in the file's place, and without a secret."""
    line = refused(GIVEN | changed)
    assert said in line
    for secret in ("live_0", "a/b", SECRET):
        assert secret not in line


def test_wrong_with_a_base(tmp_path):
    """What is missing in both is told with both."""
    (tmp_path / "payproof.toml").write_text(BASE.replace('path = "/hooks"\n', ""))
    given = {"base": "payproof.toml", "url": "http://127.0.0.1:1", "webhook": {"secret": OTHER}}
    assert refused(given, tmp_path) == "payproof_target, on payproof.toml: 'webhook.path' is missing"


def test_url_by_a_variable(tmp_path):
    """A target file may name the variable that holds the URL; which variable that is, the file alone says."""
    file = tmp_path / "t.toml"
    file.write_text(BASE)
    assert read_target(file, {"HOOK": SECRET, "BILLING_URL": "http://127.0.0.1:4711"}).url == "http://127.0.0.1:4711"
    for url, text, said in (
        ("", BASE, "t.toml:2: the environment variable BILLING_URL is not set; it must hold the URL of the target"),
        ("http://a.example/x", BASE, "t.toml:2: BILLING_URL is not right; only scheme, host and port"),
        ("http://10.0.0.1", BASE, "t.toml:2: plain HTTP carries the run's secrets in clear"),
        ("x", f'url = "http://[::1]:3"\n{BASE}', "t.toml:3: 'url' and 'url_env' exclude each other"),
        ("x", BASE.replace("url_env", "#"), "t.toml: 'url' is missing; or 'url_env', a variable that holds it"),
    ):
        file.write_text(text)
        with pytest.raises(ConfigurationError) as raised:
            read_target(file, {"HOOK": SECRET, "BILLING_URL": url})
        assert said in str(raised.value)


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:billing.db", "{}/billing.db"),
        ("sqlite:///billing.db", "{}/billing.db"),
        ("sqlite+aiosqlite:///./billing.db", "{}/billing.db"),
        ("sqlite:////srv/billing.db", "/srv/billing.db"),
        ("sqlite:///{}/billing.db", "{}/billing.db"),
    ],
)
def test_a_sqlite_url_is_what_frameworks_write(tmp_path, url, path):
    """A path is that of SQLite's file, as Payproof, as SQLAlchemy, and as a URL has it."""
    (tmp_path / "billing.db").touch()
    target = read(GIVEN | {"stores": [{"name": "d", "url": url.format(tmp_path)}]}, tmp_path)
    assert target.stores[0].url == f"sqlite:{path.format(tmp_path)}"
