import pytest

from tests.end_to_end import hostile
from tests.end_to_end.command import SECRET_ENV, environment, payproof, payproof_here, target_file
from tests.end_to_end.hostile import Server

URL = "https://billing.example"
LIVE = ("sk_" + "live_", "rk_" + "live_", "sk_org_" + "live_")


def refused(*arguments, env=None):
    """Run what cannot start, in a process of its own; return its one line."""
    ended = payproof(*arguments, env=env)
    assert (ended.code, ended.out) == (4, "")
    assert ended.line.startswith("payproof: ")
    return ended.line.removeprefix("payproof: ")


def refused_here(*arguments):
    """Run what cannot start; return its one line."""
    ended = payproof_here(*arguments)
    assert (ended.code, ended.out) == (4, "")
    return ended.line.removeprefix("payproof: ")


def test_no_target_file(tmp_path):
    """A target file that is not there is named."""
    file = tmp_path / "target.toml"
    assert refused("run", "--target", file) == f"{file}: the target file cannot be read: No such file or directory"


def test_folder_as_target_file(tmp_path):
    """A folder is no target file."""
    assert refused_here("run", "--target", tmp_path) == f"{tmp_path}: the target file cannot be read: Is a directory"


def test_target_file_that_is_no_text(tmp_path):
    """A target file that is not UTF-8 is refused with the place of the first wrong byte."""
    file = tmp_path / "target.toml"
    file.write_bytes(b'name = "\xff"')
    assert refused_here("run", "--target", file) == f"{file}: the target file is not UTF-8: byte 8"


def test_invalid_toml(tmp_path):
    """A target file that is no TOML is refused with the line."""
    file = target_file(tmp_path, URL, top="answer within = 1")
    assert refused("run", "--target", file).startswith(f"{file}:4: not TOML: Expected '=' after a key")


def test_unknown_key(tmp_path):
    """An unknown key is refused with its line and the nearest right one."""
    file = target_file(tmp_path, URL, webhook='previous_secret_evn = "X"')
    line = refused("run", "--target", file)
    assert line == f"{file}:9: unknown key 'webhook.previous_secret_evn'; did you mean 'previous_secret_env'?"


def test_secret_that_is_not_set(tmp_path):
    """A secret whose variable is not set is refused with the line that names it."""
    file = target_file(tmp_path, URL)
    for value in ("", "   "):
        line = refused("run", "--target", file, env=environment(**{SECRET_ENV: value}))
        assert line == f"{file}:7: the environment variable {SECRET_ENV} is not set; it must hold the webhook secret"


ID = "1Mr5jULkdIwHu7ix1ibLTM0x"


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("sk_" + "test_" + ID, "a secret key of Stripe's API"),
        ("rk_" + "test_" + ID, "a restricted key of Stripe's API"),
        ("pk_" + "test_" + ID, "a publishable key of Stripe's API"),
        ("we_" + ID, "the id of a webhook endpoint"),
        ("evt_" + ID, "the id of an object at Stripe (evt_...)"),
        ("cs_" + "test_" + ID, "the id of an object at Stripe (cs_...)"),
        ("whsec_...", "a placeholder"),
        ("whsec_YOUR_SECRET", "a placeholder"),
        ("<your secret>", "a placeholder"),
    ],
)
@pytest.mark.parametrize("of", ["target", "previous", "deliver", "verify"])
def test_what_is_no_signing_secret(tmp_path, monkeypatch, of, value, what):
    """Another credential or an id of Stripe in a signing secret's place is refused by its kind, and is not shown."""
    monkeypatch.setenv("PAYPROOF_TEST_OTHER", value)
    with Server(hostile.always(200)) as server:
        file = target_file(tmp_path, server.url, webhook='previous_secret_env = "PAYPROOF_TEST_OTHER"')
        if of == "target":
            file.write_text(file.read_text().replace(SECRET_ENV, "PAYPROOF_TEST_OTHER"))
        line = refused_here(
            *{
                "target": ("run", "--target", file),
                "previous": ("run", "--target", file),
                "deliver": ("deliver", "invoice.paid", "--url", server.url, "--secret-env", "PAYPROOF_TEST_OTHER"),
                "verify": ("verify", "--secret-env", "PAYPROOF_TEST_OTHER", "--header", "t=1,v1=a", "--body", file),
            }[of]
        )
        assert server.connections == 0
    assert f"PAYPROOF_TEST_OTHER holds {what}; " in line
    assert line.endswith("the endpoint's signing secret (whsec_...)")
    assert value not in line.replace("(whsec_...)", "")


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("whsec_" + ID, "a webhook's signing secret"),
        ("pk_" + "test_" + ID, "a publishable key of Stripe's API"),
        ("acct_" + ID, "the id of an object at Stripe (acct_...)"),
    ],
)
def test_what_is_no_api_key(tmp_path, monkeypatch, value, what):
    """Another credential in the place of the API key is refused by its kind."""
    monkeypatch.setenv("PAYPROOF_TEST_OTHER", value)
    line = refused_here("run", "--target", target_file(tmp_path, URL, top='api_key_env = "PAYPROOF_TEST_OTHER"'))
    assert f":4: PAYPROOF_TEST_OTHER holds {what}; it must hold the Stripe API key (sk_test_...)" in line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--topic", "webhook_delivery", "--scenario", "webhook_signature/missing"), "topic 'webhook_delivery'"),
        (
            (
                "--topic",
                "webhook_signature",
                "--scenario",
                "webhook_signature/missing",
                "--scenario",
                "transmission/outbound",
            ),
            "scenario 'transmission/outbound'",
        ),
        (("--severity", "critical", "--scenario", "webhook_signature/future"), "scenario 'webhook_signature/future'"),
    ],
)
def test_choices_that_leave_nothing(options, said):
    """A topic or a scenario that is named, and of which nothing would be run, is refused and not passed over."""
    assert f"nothing would be run of {said}: the other choices leave it out" in refused_here(
        "run", "--reference", *options
    )


def test_what_is_too_short_is_named(tmp_path):
    """A value that is too short is told with its key, its line and what it should have."""
    file = target_file(tmp_path, URL)
    file.write_text(file.read_text().replace("a test gives no access to it", "why", 1))
    line = refused_here("run", "--target", file)
    assert line.endswith(":16: 'waive.0.reason' is not right; it should have at least 10 characters")


@pytest.mark.parametrize("prefix", LIVE)
def test_live_key(tmp_path, prefix):
    """A live Stripe key is refused wherever it stands, and is not shown."""
    file = target_file(tmp_path, URL)
    key = prefix + "0123456789abcdefghijkl"
    line = refused("run", "--target", file, env=environment(**{SECRET_ENV: key}))
    assert line == f"{file}:7: {SECRET_ENV} holds a live Stripe key; Payproof takes test keys only"


def test_plain_http_to_another_machine(tmp_path):
    """Plain HTTP is for loopback hosts only."""
    line = refused("run", "--target", target_file(tmp_path, "http://billing.example"))
    assert "target.toml:2: plain HTTP carries the run's secrets in clear; use https, or a loopback host" in line


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--scenario", "webhook_signature/mising"), "unknown scenario 'webhook_signature/mising'; did you mean"),
        (("--scenario", "webhook_signature/missing[no_heder]"), "did you mean 'webhook_signature/missing[no_header]'?"),
        (("--topic", "webhook_signatur"), "unknown topic 'webhook_signatur'; did you mean 'webhook_signature'?"),
        (("--severity", "hihg"), "'hihg' is not one of 'low', 'medium', 'high', 'critical'"),
        (("--seed", "minus"), "'minus' is not a valid integer range"),
        (("--repot", "x.jsonl"), "No such option"),
    ],
)
def test_unknown_choice(options, said):
    """An unknown scenario, topic, severity, seed or option is one line with what would be right."""
    assert said in refused_here("run", "--reference", *options)


@pytest.mark.parametrize(
    ("report", "said"),
    [
        ("run.txt", "unknown format"),
        ("run.json", "did you mean '.jsonl'?"),
        ("nowhere/run.jsonl", "--report cannot be written"),
        (".", "unknown format"),
    ],
)
def test_report_that_cannot_be_written(tmp_path, report, said):
    """A report of unknown format, or in no place to write to, is refused before anything is sent."""
    with Server(hostile.always(200)) as server:
        line = refused_here("run", "--target", target_file(tmp_path, server.url), "--report", tmp_path / report)
        assert server.connections == 0
    assert said in line


def test_wrong_second_report_leaves_no_first_one(tmp_path):
    """Where one report cannot be written, none is begun."""
    with Server(hostile.always(200)) as server:
        file = target_file(tmp_path, server.url)
        refused_here("run", "--target", file, "--report", tmp_path / "a.jsonl", "--report", tmp_path / "b.pdf")
    assert not (tmp_path / "a.jsonl").exists()


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({"top": 'ca_file = "ca.pem"'}, ":4: there is no file"),
        ({"sources": '[[stores]]\nname = "s"\nurl = "sqlite:none.db"'}, "there is no SQLite database at"),
        ({"sources": '[[logs]]\nname = "l"\nurl = "file:none.log"'}, "No such file or directory"),
        ({"webhook": 'livemode = "yes"'}, ":9: 'webhook.livemode' is not right; it should be true or false"),
    ],
)
def test_source_or_file_that_is_not_there(tmp_path, file, said):
    """What a target file names must be there; nothing is sent otherwise."""
    with Server(hostile.always(200)) as server:
        assert said in refused_here("run", "--target", target_file(tmp_path, server.url, **file))
        assert server.connections == 0


RETENTION = '[retention]\npurge = ["true"]\n[[retention.rows]]\ntable = "payments"\ndays = {days}\nevent = "{event}"'


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ('[[files]]\nname = "f"\nurl = "folder:x"', "unknown scheme 'folder' in the URL of 'f'"),
        ('[[files]]\nname = "f"', "either url, or url_env for a URL with a password"),
        ('[[files]]\nname = "f"\nurl = "redis://:secret@h/0"', "the URL of 'f' holds a password"),
        (RETENTION.format(days=0, event="charge.succeeded"), "'retention.rows.0.days' is not right"),
        (RETENTION.format(days=2, event="charge.succeeded"), "rows that events make need 3 days or more"),
        (RETENTION.format(days=90, event="charge.suceeded"), "did you mean 'charge.succeeded'?"),
        ('[retention]\npurge = []\nrows = [{table = "t", days = 3}]', "'retention.purge' is not right"),
        ('[[contract.keeps]]\ntable = "t"\ncolumn = "c"\nreason = "why"', "'contract.keeps.0.reason' is not right"),
    ],
)
def test_data_at_rest_that_is_told_wrongly(tmp_path, sources, said):
    """What a target file says of further places, of the purge and of allowed columns is checked before a delivery."""
    with Server(hostile.always(200)) as server:
        line = refused_here("run", "--target", target_file(tmp_path, server.url, sources=sources))
        assert server.connections == 0
    assert said in line


def test_api_version_that_is_none(tmp_path):
    """What is no API version of Stripe is refused before anything is sent."""
    file = target_file(tmp_path, URL)
    file.write_text(file.read_text().replace("2022-11-15", "latest"))
    line = refused_here("run", "--target", file)
    assert "'latest' is no API version of Stripe" in line


def test_ca_file_without_certificates(tmp_path):
    """A certificate file without certificates is refused."""
    (tmp_path / "ca.pem").write_text("nothing")
    file = target_file(tmp_path, URL, top='ca_file = "ca.pem"')
    assert "no PEM certificates can be read" in refused_here("run", "--target", file)


def test_database_that_is_none(tmp_path):
    """A store that is no database is unreadable: one line, and nothing was sent."""
    (tmp_path / "billing.db").write_bytes(b"no database at all" * 100)
    with Server(hostile.always(200)) as server:
        file = target_file(
            tmp_path, server.url, sources='[[stores]]\nname = "s"\nurl = "sqlite:billing.db"', waive=("log",)
        )
        ended = payproof_here("run", "--target", file)
        assert server.connections == 0
    assert ended.code == 3
    assert ended.line == "payproof: source unreadable: store s: file is not a database"


def test_usage():
    """A command that there is not is one line with code 4."""
    assert refused_here("rnu").startswith("No such command 'rnu'.")
