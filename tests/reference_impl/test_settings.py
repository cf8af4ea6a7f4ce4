from inspect import signature

import pytest

from payproof_reference.database.engine import open_database
from payproof_reference.services.operations.attempts import Attempts
from payproof_reference.services.stripe.breaker import Breaker
from payproof_reference.services.stripe.retry import Policies
from payproof_reference.settings import MisconfiguredError, Settings, load_settings
from tests.reference_impl.deliveries import new_api_key, new_key, new_secret

GUESSABLE = [
    *("", " ", "\t", "\u00a0", "\u200b", "\ufeff", "None", "null", "undefined", "changeme", "secret"),
    *("whsec_", "whsec_...", "whsec_test_secret", "whsec_" + "x" * 32, "whsec_" + "." * 32, "whsec_" + "1234" * 8),
    *("whsec_your_webhook_signing_secret", "whsec_" + "0a1b2c3d4e5f6g7h8i9j0k1", "whsec_" + " " * 32),
    *("whsec_" + "\u00a0" * 32, "whsec_" + "\u200b" * 32, new_secret() + "\n", " " + new_secret(), new_secret()[6:]),
    *(f"{kind}_{mode}_" + "0a1b2c3d4e5f6g7h8i9j0k1l" for kind in ("sk", "rk", "pk") for mode in ("test", "live")),
    "whsec_" + "sk_" + "live_0a1b2c3d4e5f6g7h8i9j0k1l",
]


@pytest.fixture
def environment(monkeypatch):
    """An environment in which the service would start, apart from its files."""
    values = {"DATABASE_URL": "sqlite:///billing.db", "STRIPE_WEBHOOK_SECRET": new_secret()}
    values |= {"AUDIT_KEY": new_key(), "CREDENTIAL_KEY": new_key()}
    values |= {"STRIPE_API_KEY": new_api_key(), "RETURN_URL": "https://shop.test/billing"}
    values |= {"TLS_CERTIFICATE": "certificate.pem", "TLS_PRIVATE_KEY": "key.pem"}
    for name, value in values.items():
        monkeypatch.setenv(f"BILLING_{name}", value)
    return monkeypatch


def refusal() -> str:
    """Give the line with which the settings are refused."""
    with pytest.raises(MisconfiguredError) as error:
        load_settings(Settings)
    return str(error.value)


def test_settings_are_read_from_the_environment(environment):
    """A secret and two files are enough; secrets do not show in the representation."""
    settings = load_settings(Settings)
    assert (settings.host, settings.port, settings.tolerance_seconds) == ("127.0.0.1", 0, 300)
    assert settings.stripe_webhook_secret.get_secret_value() not in repr(settings)


def test_usual_waits_are_those_that_stripe_asks_for(environment):
    """What is not said is as long as for Stripe itself, however short the embedded run makes its waits."""
    usual = load_settings(Settings)
    assert Policies.within(usual.stripe_answer_seconds, usual.stripe_backoff_seconds) == Policies()
    assert signature(Breaker).parameters["rest_seconds"].default == usual.breaker_seconds == 15
    assert signature(Attempts).parameters["pause_seconds"].default == usual.pause_seconds == 5
    assert usual.worker_seconds == 5


def test_waits_are_only_ever_shortened():
    """A read keeps its own limit where that is shorter, and the number of attempts is always the usual one."""
    short, usual = Policies.within(5, 0.1), Policies()
    assert (short.reads.attempt_seconds, short.writes.attempt_seconds) == (usual.reads.attempt_seconds, 5)
    assert (short.reads.base_seconds, short.writes.base_seconds) == (0.1, 0.1)
    assert (short.reads.attempts, short.writes.attempts) == (usual.reads.attempts, usual.writes.attempts)


@pytest.mark.parametrize("secret", GUESSABLE)
def test_guessable_secret_is_refused(environment, secret):
    """A secret that is empty, blank, a placeholder, too short or of another kind is refused, and not shown."""
    environment.setenv("BILLING_STRIPE_WEBHOOK_SECRET", secret)
    line = refusal()
    assert line.startswith("BILLING_STRIPE_WEBHOOK_SECRET: ")
    assert "\n" not in line
    assert len(secret) < 8 or secret not in line


@pytest.mark.parametrize(
    "key", ["", "x" * 64, "ab" * 16, new_key()[:42], "changeme" + new_key(), new_secret() + new_secret()]
)
def test_guessable_audit_key_is_refused(environment, key):
    """A key that is short, uniform, a placeholder or Stripe's is refused, and not shown."""
    environment.setenv("BILLING_AUDIT_KEY", key)
    line = refusal()
    assert line.startswith("BILLING_AUDIT_KEY: ")
    assert not key or key not in line


@pytest.mark.parametrize(
    "value",
    [
        *("[", "{}", '[{"secret": "whsec_", "valid_until": "2030-01-01T00:00:00Z"}]'),
        f'[{{"secret": "{new_secret()}", "valid_until": "2030-01-01T00:00:00"}}]',
        f'[{{"secret": "{new_secret()}"}}]',
    ],
)
def test_unusable_previous_secret_is_refused(environment, value):
    """A rolled secret has to be as good as the current one, and its end to name a time zone."""
    environment.setenv("BILLING_STRIPE_PREVIOUS_WEBHOOK_SECRETS", value)
    line = refusal()
    assert "previous_webhook_secrets" in line.lower()
    assert "\n" not in line
    assert value not in line


@pytest.mark.parametrize(
    "name", ["DATABASE_URL", "AUDIT_KEY", "STRIPE_WEBHOOK_SECRET", "TLS_CERTIFICATE", "TLS_PRIVATE_KEY"]
)
def test_what_is_unsafe_to_guess_has_no_default(environment, name):
    """Without a database, a secret or TLS there is no start."""
    environment.delenv(f"BILLING_{name}")
    assert refusal() == f"BILLING_{name}: Field required"


@pytest.mark.parametrize(
    "url", ["", "nonsense", "sqlite://", "sqlite:///:memory:", "sqlite:////nowhere/at/all/billing.db", "mysql://host/x"]
)
def test_unusable_database_is_refused(url):
    """A URL that names neither a usable file nor a PostgreSQL database is refused."""
    with pytest.raises(MisconfiguredError, match=r"^BILLING_DATABASE_URL: "):
        open_database(url)


def test_password_of_a_database_is_not_shown():
    """The refusal of a database that does not answer does not repeat its URL."""
    with pytest.raises(MisconfiguredError) as error:
        open_database("postgresql://billing:" + "hunter2" + "@127.0.0.1:1/billing")
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://billing@db.example/billing",
        "postgresql://billing@10.0.0.5/billing",
        "postgresql://billing@[2001:db8::5]/billing",
        "postgresql+psycopg://billing@localhost.example/billing",
        *(f"postgresql://billing@db.example/billing?sslmode={mode}" for mode in ("disable", "allow", "prefer")),
        "postgresql://billing@db.example/billing?sslrootcert=/etc/ssl/ca.pem",
        "postgresql://billing@/billing?host=db.example",
        "postgresql://billing@/billing?host=127.0.0.1:5432&host=db.example:5432",
        "postgresql://billing@localhost/billing?hostaddr=10.0.0.5",
        "postgresql://billing@/billing?service=production",
        "postgresql://billing@localhost/billing?service=production",
    ],
)
def test_postgresql_elsewhere_needs_tls(url):
    """A URL by which the password could leave the machine in clear is refused before anything is sent."""
    with pytest.raises(
        MisconfiguredError, match=r"^BILLING_DATABASE_URL: to another machine PostgreSQL needs TLS"
    ) as no:
        open_database(url)
    assert "example/" not in str(no.value)


@pytest.mark.parametrize(
    "url",
    [
        *(f"postgresql://billing@db.invalid/x?sslmode={mode}" for mode in ("require", "verify-ca", "verify-full")),
        *(f"postgresql://billing@{host}:1/x" for host in ("localhost", "127.0.0.1", "[::1]")),
        "postgresql://billing@/x?host=/nowhere",
        "postgresql://billing@/x?host=127.0.0.1:1&host=localhost:1",
        "postgresql://billing@db.invalid/x?hostaddr=127.0.0.1&port=1",
        "postgresql://billing@:1/x",
    ],
)
def test_postgresql_by_tls_or_on_this_machine_is_tried(url):
    """TLS, the loopback address or a socket is enough; that nothing answers there is told as something else."""
    with pytest.raises(MisconfiguredError, match=r"^BILLING_DATABASE_URL: the database cannot be used$"):
        open_database(url)


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({"PGHOST": "db.invalid"}, "needs TLS"),
        ({"PGHOSTADDR": "192.0.2.1"}, "needs TLS"),
        ({"PGHOST": "db.invalid", "PGSSLMODE": "prefer"}, "needs TLS"),
        ({"PGHOST": "db.invalid", "PGSSLMODE": "verify-full"}, "cannot be used"),
        ({"PGHOST": "/nowhere"}, "cannot be used"),
    ],
)
def test_variables_of_libpq_count_for_what_a_url_leaves_open(monkeypatch, variables, line):
    """A URL without a host goes where the environment says, so that is what must be this machine or TLS."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(MisconfiguredError, match=line):
        open_database("postgresql://billing@/x")


def test_service_file_counts_for_what_a_url_leaves_open(monkeypatch, tmp_path):
    """The same of the file of services, which a variable may name."""
    (tmp_path / "services").write_text("[production]\nhost=db.invalid\n")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    monkeypatch.setenv("PGSERVICE", "production")
    with pytest.raises(MisconfiguredError, match="needs TLS"):
        open_database("postgresql://billing@/x")


def test_file_that_is_no_database_is_refused(tmp_path):
    """A file of another kind is not overwritten."""
    other = tmp_path / "notes.txt"
    other.write_text("not a database, and longer than its header of a hundred bytes " * 20)
    with pytest.raises(MisconfiguredError):
        open_database(f"sqlite:///{other}")
    assert other.read_text().startswith("not a database")


@pytest.mark.parametrize(
    ("key", "livemode"),
    [("rk_" + "live_0a1b2c3d4e5f", "0"), ("sk_" + "test_0a1b2c3d4e5f", "1")],
    ids=["live key in test mode", "test key in live mode"],
)
def test_key_of_the_other_mode_is_refused(environment, key, livemode):
    """Events of one world and operations of the other would mix; the line names both settings and no key."""
    environment.setenv("BILLING_STRIPE_API_KEY", key)
    environment.setenv("BILLING_STRIPE_LIVEMODE", livemode)
    line = refusal()
    assert line.startswith("BILLING_STRIPE_API_KEY: ")
    assert "BILLING_STRIPE_LIVEMODE" in line
    assert key not in line


@pytest.mark.parametrize("key", ["", "pk_" + "test_0a1b2c3d4e5f", new_secret(), "sk_" + "test_0a1b 2c3d", "rk_test_"])
def test_what_is_no_secret_api_key_is_refused(environment, key):
    """A publishable key, a secret of another kind, or a key with a blank in it cannot act on an account."""
    environment.setenv("BILLING_STRIPE_API_KEY", key)
    line = refusal()
    assert line.startswith("BILLING_STRIPE_API_KEY: ")
    assert not key or key not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PLANS", '{"price_1": {"amount": 0, "currency": "usd"}}'),
        ("PLANS", '{"price_1": {"amount": 100}}'),
        ("PLANS", '{"gold": {"amount": 100, "currency": "usd"}}'),
        ("PLANS", "price_1"),
        ("RETURN_URL", "http://shop.test/"),
        ("RETURN_URL", "https://shop.test/?next=https://evil.test"),
        ("STRIPE_ACCOUNT", "self"),
        ("TRUSTED_PROXIES", '["everybody"]'),
        ("TRUSTED_PROXIES", "10.0.0.1"),
        ("GIVE_UP_SECONDS", "90000"),
        ("STRIPE_ANSWER_SECONDS", "9"),
        ("STRIPE_BACKOFF_SECONDS", "1"),
        ("BREAKER_SECONDS", "7"),
        ("PAUSE_SECONDS", "0"),
    ],
)
def test_unsafe_setting_is_refused_by_name(environment, name, value):
    """One line names what is wrong with a plan, an address, an account, a proxy or a limit."""
    environment.setenv(f"BILLING_{name}", value)
    line = refusal()
    assert name.lower() in line.lower()
    assert "\n" not in line
