import json
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import version
from pathlib import Path

import click
import jsonschema
import pytest
import yaml

from payproof.cli import cli
from payproof.session import all_scenarios, choose
from payproof.stripe.forgeries import FORGERIES
from payproof.stripe.signature import sign
from tests.end_to_end import hostile
from tests.end_to_end.billing import genuine
from tests.end_to_end.command import SECRET, SECRET_ENV, environment, payproof, payproof_here, target_file
from tests.end_to_end.hostile import Server

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "scenarios").glob("*/*.yaml"))
BODY = b'{"id":"evt_1",  "object":"event"}\n'


def out(*arguments):
    """Run what must succeed; return what it printed."""
    ended = payproof_here(*arguments)
    assert (ended.code, ended.err) == (0, "")
    return ended.out


@cache
def schema_of(which):
    """Return the JSON Schema that the program prints."""
    return json.loads(out("schema", which))


def test_version_and_help():
    """The command tells its version, and every command its options."""
    ended = payproof("--version")
    assert (ended.code, ended.out, ended.err) == (0, f"payproof, version {version('payproof')}\n", "")
    listed = re.findall(r"^  ([\w-]+)  ", out("--help").partition("Commands:")[2], re.MULTILINE)
    assert listed == [
        "access",
        "calibrate",
        "check-scenarios",
        "deliver",
        "demo",
        "diff",
        "doctor",
        "events",
        "explain",
        "flow",
        "init",
        "judge",
        "list",
        "reconcile",
        "replay",
        "report",
        "run",
        "scan",
        "schema",
        "show",
        "signatures",
        "verify",
    ]
    for command in listed:
        assert out(command, "-h").startswith(f"Usage: payproof {command} ")


def test_help_names_no_option_that_there_is_not():
    """Each option and each command that a help text names is one that there is."""
    group = click.Context(cli, info_name="payproof", **cli.context_settings)
    names = cli.list_commands(group)
    parameters = [one for name in names for one in cli.get_command(group, name).params]
    options = {option for one in parameters for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    for name in names:
        told = out(name, "--help")
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", told)) <= options
        assert set(re.findall(r"`payproof (\w+)", told)) <= set(names)


def test_help_imports_no_command():
    """The help is written by a table, which says what the commands say, and costs no module but click's."""
    asked = "import sys; from payproof.cli import _run; _run(['--help']); print(*sorted(sys.modules))"
    ended = payproof("-c", asked, program=sys.executable)
    modules = set(ended.out.splitlines()[-1].split())
    ours = {name for name in modules if name.partition(".")[0] == "payproof"}
    assert ours == {
        "payproof", "payproof.cli", "payproof.cli.color", "payproof.cli.every_command", "payproof.cli.lazy_group",
        "payproof.domain", "payproof.domain.channel", "payproof.domain.finding", "payproof.domain.verdict",
        "payproof.errors",
    }  # fmt: skip
    assert not modules & {"aiohttp", "faker", "numpy", "pydantic", "rich", "yaml"}
    group = click.Context(cli, info_name="payproof", **cli.context_settings)
    for name, (_, summary) in cli.table.items():
        assert cli.get_command(group, name).get_short_help_str(limit=200) == summary


def test_list():
    """The list has a line for each scenario, with its file and its cases where they are asked for."""
    plain, where, cases = out("list"), out("list", "--where"), out("list", "--cases")
    scenarios = all_scenarios()
    assert [line.split()[0] for line in plain.splitlines()] == [scenario.id for scenario in scenarios]
    for scenario, line in zip(scenarios, where.splitlines(), strict=True):
        assert line.endswith(scenario.place)
        assert Path(scenario.place).is_file()
    assert [line.strip() for line in cases.splitlines() if line.startswith("  ")] == [
        case.id for scenario in scenarios for case in scenario.cases
    ]


@pytest.mark.parametrize("id_", ["webhook_signature/missing", "webhook_signature/missing[no_header]"])
def test_explain(id_):
    """A scenario is explained with its requirements, control, cases, defects and file."""
    told = " ".join(out("explain", id_).split())
    for part in ("CVE-2026-21894", "control: deliver", "no_header", "no_verification (by rejected)", "missing.yaml"):
        assert part in told


def test_explain_unknown():
    """An unknown scenario is one line with the nearest one."""
    ended = payproof_here("explain", "webhook_signature/mising")
    assert ended.code == 4
    assert ended.line == (
        "payproof: unknown scenario 'webhook_signature/mising'; did you mean 'webhook_signature/missing'?"
    )


@pytest.mark.parametrize("which", ["target", "scenario"])
def test_printed_schema_is_valid_itself(which):
    """The schema that the program prints is a JSON Schema."""
    jsonschema.Draft202012Validator.check_schema(schema_of(which))


@pytest.mark.parametrize("file", SCENARIOS, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_scenario_files_validate(file):
    """Every scenario file is valid by the printed schema, so that an editor underlines nothing that is right."""
    jsonschema.validate(yaml.safe_load(file.read_text()), schema_of("scenario"), jsonschema.Draft202012Validator)


@pytest.mark.parametrize(
    "wrong",
    [
        {"titel": "x"},
        {"severity": "extreme"},
        {"do": ["delivre"]},
        {"do": [{"deliver": {"signatur": "valid"}}]},
        {"expect": ["rejectd"]},
        {"defects": {"no_verification": "rejectd"}},
        {"needs": ["stores"]},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_schema_refuses_what_the_program_refuses(wrong):
    """What is misspelt in a scenario is underlined by an editor that knows the schema."""
    content = yaml.safe_load(SCENARIOS[0].read_text()) | wrong
    assert list(jsonschema.Draft202012Validator(schema_of("scenario")).iter_errors(content))


def test_the_reference_is_judged_where_it_is_asked_for(tmp_path, monkeypatch):
    """Asked for by name the reference service runs, beside a target file too, and the first line says what it is."""
    few = choose(all_scenarios(), ids=["webhook_signature/missing[no_header]"])
    monkeypatch.setattr("payproof.cli.run_commands.choose", lambda *_, **__: few)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "payproof.toml").write_text("not read")
    ended = payproof_here("demo", "--lanes", 1, "--seed", 5)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0].endswith(
        "judges the reference billing service that comes with Payproof, not a system of yours"
    )


@pytest.mark.parametrize("url", ["http://billing.example", "billing.example", "https://[", "https://a:b@c.example", ""])
@pytest.mark.parametrize("command", ["init", "deliver"])
def test_url_that_is_not_sent_to(tmp_path, command, url):
    """A URL that is none, carries a password, or is plain HTTP to another machine is refused in one line."""
    arguments = {
        "init": ("init", url, "--output", tmp_path / "x"),
        "deliver": ("deliver", "invoice.paid", "--url", url, "--secret-env", SECRET_ENV),
    }[command]
    ended = payproof_here(*arguments)
    assert ended.code == 4
    assert ended.line.startswith("payproof: ")
    assert ":b@" not in ended.line


def deliver(behave, *arguments, path="/hook", run=payproof_here, **options):
    """Deliver to a server; return how it ended and what arrived."""
    with Server(behave) as server:
        ended = run("deliver", *arguments, "--url", server.url + path, "--secret-env", SECRET_ENV, **options)
    return ended, server.requests


def test_deliver_an_event():
    """A made-up event of a type arrives, signed so that Stripe's SDK takes it, with the values that were set."""
    ended, (request,) = deliver(
        hostile.always(200), "invoice.paid", "--set", "amount_paid=4242", "--set", "currency=eur", path="/a/b?c=d"
    )
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("sent      POST http://127.0.0.1:")
    assert "\nanswered  200 in " in ended.out
    assert request.target == "/a/b?c=d"
    assert genuine(request)
    event = json.loads(request.body)
    assert event["type"] == "invoice.paid"
    assert (event["data"]["object"]["amount_paid"], event["data"]["object"]["currency"]) == (4242, "eur")


def test_deliver_the_same_event_again():
    """The same seed makes the same event."""
    bodies = [
        deliver(hostile.always(200), "charge.refunded", "--seed", 3, "--api-version", "2025-09-30.clover")[1][0].body
        for _ in range(2)
    ]
    first, second = (json.loads(body) for body in bodies)
    assert first["id"] == second["id"]
    assert first["api_version"] == "2025-09-30.clover"


def test_deliver_a_file_as_it_is(tmp_path):
    """The bytes of --body arrive as they are, and are what is signed."""
    file = tmp_path / "body.json"
    file.write_bytes(BODY)
    ended, (request,) = deliver(hostile.always(200), "--body", file)
    assert (ended.code, request.body) == (0, BODY)
    assert genuine(request)


def test_deliver_standard_input():
    """A body of - is what stands on standard input."""
    ended, (request,) = deliver(hostile.always(200), "--body", "-", run=payproof, stdin=BODY)
    assert (ended.code, request.body) == (0, BODY)


def test_deliver_forged():
    """A forgery is sent as asked, and a target that refuses it makes code 1."""
    ended, (request,) = deliver(
        lambda peer, request: peer.send(hostile.answer(200 if genuine(request) else 400)),
        *("invoice.paid", "--signature", "expired.3600s"),
    )
    assert ended.code == 1
    assert "\nanswered  400 in " in ended.out
    assert request.header("Stripe-Signature").startswith(b"t=")


def test_deliver_to_nobody():
    """Where no answer comes, the code is 3 and the reason is one line."""
    ended, _ = deliver(hostile.never, "invoice.paid", "--timeout", "0.2")
    assert ended.code == 3
    assert "no answer in time: 127.0.0.1:" in ended.line


def test_deliver_shows_no_secret_and_steers_no_terminal():
    """What a target says back is shown without the signature and without control characters."""
    ended, (request,) = deliver(hostile.echo, "invoice.paid")
    digest = request.header("Stripe-Signature").partition(b"v1=")[2].decode()
    assert ended.code == 0
    assert len(digest) == 64
    assert digest not in ended.out
    assert SECRET not in ended.out
    assert not {"\x1b", "\x07"} & set(ended.out)


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"<html>" + b"<p>\n" * 100_000, b"<html><p>\n".decode() + "<p>\n" * 19),
        (b"x" * 60_000, "x" * 199 + "…\n"),
    ],
    ids=["many lines", "one line"],
)
def test_deliver_shows_a_screen(body, shown):
    """Of a long answer the beginning is shown, about a screen, and how long it is."""
    ended, _ = deliver(lambda peer, _: peer.send(hostile.answer(404, body)), "invoice.paid")
    told = ended.out.partition(" ms\n")[2]
    assert told.startswith(shown)
    assert re.fullmatch(r"\(the beginning of [\d,]+ characters\)\n", told.removeprefix(shown))
    assert ended.code == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("invoice.payed",), "no event type 'invoice.payed'"),
        (("invoice.paid", "--signature", "expierd.3600s"), "expired.3600s"),
        (("invoice.paid", "--set", "amount"), "--set 'amount' is not PATH=VALUE; such as status=canceled"),
        (("invoice.paid", "--set", "=1"), "is not PATH=VALUE"),
        (("invoice.paid", "--set", "amount_payed=1"), "there is no 'amount_payed'; nearest: amount_paid"),
        (("invoice.paid", "--api-version", "yesterday"), "'yesterday' is no API version of Stripe"),
        (("--body", "nowhere.json"), "nowhere.json: the body cannot be read"),
        ((), "give either an event type or --body FILE"),
        (("invoice.paid", "--body", "x"), "give either an event type or --body FILE"),
        (("--body", "x", "--set", "a=1"), "--set and --age change made-up events only"),
        (("--body", "x", "--age", "60"), "--set and --age change made-up events only"),
        (("invoice.paid", "--secret-env", "PAYPROOF_NOT_SET"), "variable PAYPROOF_NOT_SET is not set"),
        (("invoice.paid", "--timeout", "0"), "0.0 is not in the range"),
    ],
)
def test_deliver_refuses(arguments, said):
    """What cannot be delivered is one line with code 4, and nothing is sent."""
    with Server(hostile.always(200)) as server:
        ended = payproof_here("deliver", "--url", server.url, "--secret-env", SECRET_ENV, *arguments)
        assert server.connections == 0
    assert ended.code == 4
    assert said in ended.line


def test_deliver_refuses_a_live_key():
    """A live key in the variable of the secret is refused and not shown."""
    key = "sk_" + "live_" + "0123456789abcdef"
    ended = payproof(
        *("deliver", "invoice.paid", "--url", "https://billing.example", "--secret-env", SECRET_ENV),
        env=environment(**{SECRET_ENV: key}),
    )
    assert ended.code == 4
    assert "holds a live Stripe key" in ended.line
    assert key not in ended.line


@pytest.mark.parametrize(
    ("body", "at", "code", "said"),
    [
        (BODY, 1_700_000_000, 0, "the signature verifies"),
        (BODY, 1_700_000_301, 1, "the signature does not verify"),
        (BODY + b" ", 1_700_000_000, 1, "the signature does not verify"),
    ],
    ids=["right", "too old", "changed"],
)
def test_verify(tmp_path, body, at, code, said):
    """A signature verifies, or does not and the reasons are told; the secret is not."""
    file = tmp_path / "body.json"
    file.write_bytes(body)
    header = sign(BODY, secrets=[SECRET], timestamp=1_700_000_000)
    ended = payproof_here("verify", "--secret-env", SECRET_ENV, "--header", header, "--body", file, "--at", at)
    assert (ended.code, ended.err) == (code, "")
    assert ended.out.startswith(said)
    assert (len(ended.out.splitlines()) > 1) == (code == 1)
    assert SECRET not in ended.out


def test_signatures_and_events():
    """Every forgery and every event type is listed, one a line."""
    assert [line.split()[0] for line in out("signatures").splitlines()] == list(FORGERIES)
    assert "customer.subscription.updated" in out("events").splitlines()
    assert out("events", "--api-version", "2024-06-20") == out("events", "--api-version", "2022-11-15")


def test_target_file_of_the_tests_validates(tmp_path):
    """The printed schema takes the target files that these tests write."""
    file = target_file(tmp_path, "https://billing.example", sources='[[logs]]\nname = "l"\nurl = "file:x"')
    jsonschema.validate(tomllib.loads(file.read_text()), schema_of("target"), jsonschema.Draft202012Validator)


@pytest.mark.parametrize("command", ["run", "scan"])
def test_a_search_that_is_not_compiled_is_told(tmp_path, monkeypatch, command):
    """Where the compiled search is there and cannot be used, one line on standard error says so, and all goes on."""
    monkeypatch.setattr("payproof.cli.console.unusable", lambda: "the compiled search is damaged")
    (tmp_path / "a.txt").write_text("nothing")
    with Server(hostile.close_at_once) as server:
        ended = payproof_here(
            *{"run": ("run", "--target", target_file(tmp_path, server.url)), "scan": ("scan", tmp_path / "a.txt")}[
                command
            ]
        )
    told = "payproof: the compiled search is damaged; what NumPy does in its place finds the same, more slowly"
    assert ended.err.splitlines()[0] == told
    assert ended.code == {"run": 3, "scan": 0}[command]
