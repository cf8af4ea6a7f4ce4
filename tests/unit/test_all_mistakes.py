"""All that is wrong in a file is told at once, and no consequence of a mistake beside it."""

from pathlib import Path

import pytest
import tomlkit
from tomlkit.items import AoT, Table

from payproof.errors import ConfigurationError
from payproof.language import read_requirements, read_target, read_target_mapping
from payproof.language.waiver_file import read_waivers

SECRET = "whsec_" + "0123456789abcdefghij"
VARIABLES = {
    "HOOK": SECRET,
    "STRIPE": "sk_" + "test_" + "0123456789abc",
    "TOKEN": "a token of nobody's",
    "WRITER": "postgresql://writer:password@host/name",
}
TARGET = """\
name = "billing"
url = "https://billing.example:8443"
environment = "staging"
hosts = ["other.example:443"]
api_key_env = "STRIPE"
publishable_key = "pk_test_1"
openapi = "/openapi.json"
routes = ["GET /invoices"]
scenarios = ["rules/"]

[webhook]
path = "/hooks"
secret_env = "HOOK"
api_version = "2022-11-15"
livemode = false
connect = false

[subject]
customer = "cus_1"
find = "users.customer"
email = "a@example.test"
metadata = { user = "1" }

[control]
event = "invoice.paid"
set = { status = "paid" }

[[stores]]
name = "database"
url = "postgresql://host/name"
ignore = ["a"]
busy = true

[[stores]]
name = "second"
url = "mysql://host/name"

[[logs]]
name = "log"
url = "file:a.log"

[[files]]
name = "cache"
url = "redis://host/0"

[retention]
purge = ["purge"]
writer_env = "WRITER"
seconds = 9.0

[[retention.rows]]
table = "payments"
days = 90
values = { id = "{id}", at = "{time}" }

[store_outage]
down = ["down"]
up = ["up"]

[process]
restart = ["restart"]
environment = { A = "b" }
secret_variable = "SECRET"

[contract]
rejected = [400, 401]
answer_within = 5.0
sdk = "python"
handles = ["invoice.*"]

[contract.rejection_record]
match = { event = "rejected" }
cause = "cause"
time = "time"
origin = "origin"
result = "result"

[[contract.keeps]]
table = "a"
column = "b"
reason = "it is shown to the customer"

[contract.operations]
declined = [402]
logged = ["code"]

[budget]
search_seconds = 60.0

[fuzzing]
effort = 1.0

[[waive]]
channel = "stripe"
reason = "it cannot be seen from here"

[upstream]
url = "http://127.0.0.1:12111"
backend = "double"

[upstream.prices.price_a]
amount = 100

[principals.manager]
credential_env = "TOKEN"

[operations.create_customer]
request = "POST /customers"
calls = "POST /v1/customers"
as = "manager"
body = { name = "a" }
keep = { customer = "id" }

[operations.subscribe]
request = "POST /customers/{customer}/subscriptions"
calls = "POST /v1/subscriptions"
after = ["create_customer"]
"""

LINES = TARGET.splitlines()


def told(tmp_path, text, **variables):
    """Return what is told of a target file, as line numbers and texts; nothing of one that is right."""
    file = tmp_path / "t.toml"
    file.write_text(text)
    try:
        read_target(file, {**VARIABLES, **variables})
    except ConfigurationError as error:
        return [(one.line, str(one).partition(f"{one.line}: ")[2] or str(one)) for one in error.mistakes]
    return []


def places(value, at=()):
    """Yield each place of a document where a value stands."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield (*at, key)
            yield from places(one, (*at, key))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from places(one, (*at, index))


PLACES = [place for place in places(tomlkit.parse(TARGET).unwrap()) if isinstance(place[-1], str)]


def test_the_file_is_right(tmp_path):
    """The file that these tests spoil is read as it is."""
    assert told(tmp_path, TARGET) == []


@pytest.mark.parametrize("wrong", [3.5, True, "", [[]], ["x"], {"zz": 1}], ids=repr)
def test_one_wrong_value_is_one_line(tmp_path, wrong):
    """A value or a table of a wrong type is told in one line, with the line where it stands, whatever hangs on it."""
    for place in PLACES:
        document = tomlkit.parse(TARGET)
        *above, key = place
        here = document
        for part in above:
            here = here[part]
        if isinstance(here[key], Table | AoT):
            continue  # tomlkit would write it at another place
        here[key] = tomlkit.inline_table() | wrong if isinstance(wrong, dict) else wrong
        text = tomlkit.dumps(document)
        mistakes = told(tmp_path, text)
        assert len(mistakes) <= 1, (place, mistakes)
        spoilt = [
            number for number, pair in enumerate(zip(text.splitlines(), LINES, strict=True), 1) if len({*pair}) > 1
        ]
        for line, said in mistakes:
            assert [line] == spoilt or (line < spoilt[0] and LINES[line - 1].startswith("[")), said
            assert "Table" not in said  # which is how classes of ours are named


@pytest.mark.parametrize("place", PLACES, ids=lambda place: ".".join(map(str, place)))
def test_one_misspelt_key_is_one_line(tmp_path, place):
    """A key or a table that is misspelt is told in one line, as it is no missing one beside."""
    document = tomlkit.parse(TARGET).unwrap()
    *above, key = place
    here = document
    for part in above:
        here = here[part]
    here[f"{key}x"] = here.pop(key)
    mistakes = told(tmp_path, tomlkit.dumps(document))
    assert len(mistakes) <= 1, mistakes


def test_each_mistake_is_told(tmp_path):
    """Mistakes of syntax, values, variables and of what hangs together are told in one go, in order of their lines."""
    text = TARGET
    for old, new in (
        ('"https://billing', '"http://billing'),
        ('environment = "staging"', 'environment = "stagging"'),
        ("livemode = false", "livmode = false"),
        ('secret_env = "HOOK"', 'secret_env = "UNSET"'),
        ('find = "users.customer"', 'find = "users"'),
        ('url = "postgresql://host/name"', 'url = "postgre://host/name"'),
        ('url = "file:a.log"', 'url = "a.log"'),
        ("days = 90", "days = 0"),
        ("declined = [402]", "declined = [99]"),
        ('as = "manager"', 'as = "manger"'),
        ('after = ["create_customer"]', 'after = ["create_custmer"]'),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    mistakes = told(tmp_path, text)
    assert [line for line, _ in mistakes] == sorted(line for line, _ in mistakes)
    wanted = [
        "plain HTTP carries the run's secrets in clear",
        "'environment' is not right",
        "the environment variable UNSET is not set",
        "unknown key 'webhook.livmode'; did you mean 'livemode'?",
        "'users' is no column",
        "unknown scheme 'postgre' in the URL of 'database'",
        "unknown scheme 'a.log' in the URL of 'log'",
        "'retention.rows.0.days' is not right",
        "'contract.operations.declined.0' is not right",
        "unknown principal 'manger'; did you mean 'manager'?",
        "there is no operation 'create_custmer'; did you mean 'create_customer'?",
    ]
    assert len(mistakes) == len(wanted), mistakes
    for part in wanted:
        assert any(part in said for _, said in mistakes), part


def test_a_variable_that_is_not_set_is_one_mistake(tmp_path):
    """However many keys name a variable, that it is not set is told once."""
    text = TARGET.replace('secret_env = "HOOK"', 'secret_env = "UNSET"\nprevious_secret_env = "UNSET"')
    assert len(told(tmp_path, text)) == 1
    assert len(told(tmp_path, text.replace('"STRIPE"', '"UNSET"'))) == 1


def test_all_mistakes_of_a_mapping(tmp_path):
    """What a test-suite gives is judged as a file is, and a secret that is missing is asked for as a value."""
    given = {"url": 3, "webhook": {"path": "/x", "api_version": 1}, "stores": [{"name": "d"}], "logz": []}
    with pytest.raises(ConfigurationError) as error:
        read_target_mapping(given, place="payproof_target", folder=tmp_path, environment={})
    texts = sorted(map(str, error.value.mistakes))
    assert texts == [
        "payproof_target: 'environment' is missing",
        "payproof_target: 'stores.0' is not right; either url, or url_env for a URL with a password",
        "payproof_target: 'url' is not right; it should be a text",
        "payproof_target: 'webhook.api_version' is not right; it should be a text",
        "payproof_target: 'webhook.secret' is missing; or 'secret_env', a variable",
        "payproof_target: unknown key 'logz'; did you mean 'logs'?",
    ]


@pytest.mark.parametrize("suffix", ["toml", "yaml"])
def test_all_mistakes_of_a_waiver_file(tmp_path, suffix):
    """Each wrong waiver is told with its line."""
    file = tmp_path / f"waivers.{suffix}"
    texts = {
        "toml": '[[waivers]]\nlocation = "a"\nreason = "why"\nexpires = 2027-01-01\n'
        '[[waivers]]\nlocation = "b"\nreason = "for a good reason"\nexpired = 2027-01-01\n'
        '[[waivers]]\nlocation = "b"\nreason = "for a good reason"\nexpires = "soon"\n',
        "yaml": "waivers:\n- location: a\n  reason: why\n  expires: 2027-01-01\n"
        "- location: b\n  reason: for a good reason\n  expired: 2027-01-01\n"
        "- location: b\n  reason: for a good reason\n  expires: soon\n",
    }
    file.write_text(texts[suffix])
    with pytest.raises(ConfigurationError) as error:
        read_waivers(file)
    lines = {"toml": [3, 8, 12], "yaml": [3, 7, 10]}[suffix]
    assert [one.line for one in error.value.mistakes] == lines
    assert [one in str(error.value) for one in ("reason", "did you mean 'expires'?", "expires")] == [True] * 3


def test_all_mistakes_of_a_file_of_requirements(tmp_path):
    """Each wrong entry is told with its line."""
    file = tmp_path / "requirements.yaml"
    file.write_text('a: {says: x}\nb: {says: "", source: y}\nc: 3\n')
    with pytest.raises(ConfigurationError) as error:
        read_requirements(Path(file))
    assert [one.line for one in error.value.mistakes] == [1, 2, 3]
