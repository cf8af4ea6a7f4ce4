import pytest

from payproof.domain.operation import Price
from payproof.engine.judge import skip
from payproof.errors import ConfigurationError
from payproof.language import read_target
from payproof.session import all_scenarios

SECRET = "whsec_" + "0123456789abcdefghij"
TOKEN = "token-" + "0123456789abcdef"
LIVE = "sk_" + "live_" + "0123456789abcdef"
TARGET = """\
name = "staging"
url = "https://billing.example"
environment = "staging"

[webhook]
path = "/hooks"
secret_env = "HOOK"
api_version = "2025-03-31.basil"

[upstream]
url = "http://127.0.0.1:12111"

[upstream.prices.price_team]
amount = 1000

[principals.manager]
credential_env = "MANAGER"

[operations.create_customer]
request = "POST /customers"
as = "manager"
calls = "POST /v1/customers"
keep = { customer = "data.0.id" }

[operations.subscribe]
request = "POST /customers/{customer}/subscriptions"
as = "manager"
body = { price = "price_team", lines = [{ of = "{customer}" }] }
calls = "POST /v1/subscriptions"
after = ["create_customer"]

[contract.operations]
declined = [402]
reference = "error.reference"
completed_within = 60
"""


def target(tmp_path, text=TARGET, **environment):
    """Read a target file."""
    file = tmp_path / "t.toml"
    file.write_text(text, encoding="utf-8")
    return read_target(file, {"HOOK": SECRET, "MANAGER": TOKEN, "KEY": "sk_" + "test_" + "0123456789", **environment})


def test_operations(tmp_path):
    """Operations are read with their principals, whose credentials come from the environment, and with the upstream."""
    read = target(tmp_path)
    assert read.upstream is not None
    assert (read.upstream.url, read.upstream.backend) == ("http://127.0.0.1:12111", "double")
    assert read.upstream.prices == {"price_team": Price(1000)}
    subscribe = read.operations["subscribe"]
    assert (subscribe.method, subscribe.path) == ("POST", "/customers/{customer}/subscriptions")
    assert (subscribe.calls, subscribe.after) == ("POST /v1/subscriptions", ("create_customer",))
    assert subscribe.principal is not None
    assert (subscribe.principal.header, subscribe.principal.scheme) == ("Authorization", "Bearer")
    assert subscribe.principal.credential.reveal() == TOKEN
    assert TOKEN not in repr(read)
    assert subscribe.principal.credential in read.secrets
    promised = read.contract.operations
    assert (promised.declined, promised.reference, promised.completed_within) == ({402}, "error.reference", 60)
    assert promised.unavailable == {429, 502, 503, 504}


def test_kinds_of_operations(tmp_path):
    """Where any operation of a kind would do, the first that the target file describes is taken."""
    read = target(tmp_path)
    assert [getattr(read.operation(kind), "name", None) for kind in ("charging", "writing", "refund")] == [
        "subscribe",
        "create_customer",
        None,
    ]


def test_what_is_not_offered_is_skipped(tmp_path):
    """A target file without operations skips every case that needs them, and says which table is missing."""
    bare = target(tmp_path, TARGET[: TARGET.index("[upstream]")])
    skipped = [skip(bare, one, case) for one in all_scenarios() for case in one.cases if "upstream" in case.needs]
    assert skipped
    assert all(one is not None and "the target file has no [upstream]" in one.why for one in skipped)


@pytest.mark.parametrize(
    ("old", "new", "line", "said"),
    [
        ("http://127.0.0.1:12111", "http://127.0.0.1", 11, "where to listen on this machine"),
        ("http://127.0.0.1:12111", "http://10.0.0.7:12111", 11, "where to listen on this machine"),
        ("http://127.0.0.1:12111", "http://127.0.0.1:12111/v1", 11, "only scheme, 127.0.0.1 and port"),
        ("http://127.0.0.1:12111", "http://127.0.0.1:99999", 11, "out of range"),
        ('12111"', '12111"\nbackend = "stripe_mock"', 12, "double, stripe-mock, stripe, or the URL"),
        ('12111"', '12111"\nbackend = "stripe"', 10, "'key_env' belongs to backend"),
        ('12111"', '12111"\nkey_env = "KEY"', 10, "'key_env' belongs to backend"),
        ('12111"', '12111"\nbackend = "stripe"\nkey_env = "LIVE"', 13, "LIVE holds a live Stripe key"),
        ('12111"', '12111"\nprot = 1', 12, "unknown key 'upstream.prot'"),
        ("amount = 1000", "amount = 0", 14, "'upstream.prices.price_team.amount' is not right"),
        ('"MANAGER"', '"NOBODY"', 17, "the environment variable NOBODY is not set; it must hold the credential of"),
        ("[operations.create_customer]", "[operations.create_customers]", 19, "did you mean 'create_customer'?"),
        ('as = "manager"\ncalls', 'as = "manger"\ncalls', 21, "unknown principal 'manger'; did you mean 'manager'?"),
        ('"POST /customers"', '"/customers"', 20, "a method and a path, such as POST /customers"),
        ('"POST /v1/customers"', '"POST customers"', 22, "a method and a path of Stripe's API"),
        ('["create_customer"]', '["create_custmer"]', 30, "did you mean 'create_customer'?"),
        ('["create_customer"]', '["subscribe"]', 30, "operation 'subscribe' comes after itself; leave it out"),
        ('after = ["create_customer"]', "", 25, "wants {customer}, which none of those before it keeps"),
        ("keep = { customer", "keep = { custmer", 25, "wants {customer}, which none of those before it keeps; did you"),
        ("declined = [402]", "declined = [99]", 33, "'contract.operations.declined.0' is not right"),
        ("declined = [402]", "declind = [402]", 33, "did you mean 'declined'?"),
    ],
)
def test_what_is_wrong_with_operations(tmp_path, old, new, line, said):
    """Each mistake in the tables of operations is told in one line, with its place and what would be right."""
    assert old in TARGET
    with pytest.raises(ConfigurationError) as error:
        target(tmp_path, TARGET.replace(old, new, 1), LIVE=LIVE)
    text = str(error.value)
    assert text.startswith(f"{tmp_path}/t.toml:{line}: "), text
    assert said in text
    assert "\n" not in text
    assert LIVE not in text


def test_operations_need_an_upstream(tmp_path):
    """Operations without anything to see their calls are refused."""
    text = TARGET.replace(
        '[upstream]\nurl = "http://127.0.0.1:12111"\n\n[upstream.prices.price_team]\namount = 1000\n', ""
    )
    with pytest.raises(ConfigurationError, match=r"operations without an \[upstream\]"):
        target(tmp_path, text)
