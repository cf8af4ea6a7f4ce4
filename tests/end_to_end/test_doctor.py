"""The command `payproof doctor`: what is reachable and shown, what a target is made of, and what is not judged."""

import json
import sqlite3
import tomllib
from contextlib import closing

import pytest

from payproof.language import read_target
from tests.end_to_end import hostile
from tests.end_to_end.billing import billing, genuine, sources
from tests.end_to_end.command import SECRET, SECRET_ENV, payproof_here, target_file
from tests.end_to_end.hostile import Server, answer

HOOK = "/webhooks/stripe"
_MOST_LINES = 92  # a block to paste for each table that would let cases be judged


def lines_of(ended, name):
    """Return the lines of a part of what the doctor says."""
    return [line for line in ended.out.splitlines() if line[4:].startswith(name)]


def test_a_target_that_is_well(tmp_path):
    """A target with a database and a log is reached, both show the marker, and the code is 0."""
    with billing(tmp_path) as server:
        file = target_file(tmp_path, server.url, sources=sources(), waive=())
        ended = payproof_here("doctor", "--target", file)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"a test's target (local) at {server.url}, described by {file}\n")
    assert "!!" not in ended.out
    for name in ("host", "webhook", "store database", "log log", "calibration", "framework", "sdk"):
        assert len(lines_of(ended, name)) == 1, name
    assert "1 tables can be read: events; shows the ids of what is delivered" in lines_of(ended, "store")[0]
    assert "shows the ids of what is delivered" in lines_of(ended, "log log")[0]
    assert "by [upstream] and [operations]: where your system reaches Stripe" in ended.out
    assert 'table = "events"' in ended.out
    assert len(ended.out.splitlines()) <= _MOST_LINES
    assert SECRET not in ended.out


def test_what_is_told_can_be_pasted(tmp_path, monkeypatch):
    """All that is printed below the parts, put where it says that it goes, makes a file that is read."""
    for variable in ("STRIPE_PREVIOUS_WEBHOOK_SECRET", "STRIPE_RETIRED_WEBHOOK_SECRET"):
        monkeypatch.setenv(variable, "whsec_" + "0123456789abcdef")
    monkeypatch.setenv("BILLING_GUESSED_TOKEN", "guessed-0123456789abcdef")
    monkeypatch.setenv("STRIPE_SECRET_KEY", "sk_" + "test_" + "0123456789abcdef")
    with billing(tmp_path) as server:
        file = target_file(tmp_path, server.url, sources=sources(), waive=())
        ended = payproof_here("doctor", "--target", file)
    _, _, told = ended.out.partition("to paste:\n")
    place, added = "", {"": "", "top": "", "webhook": ""}
    for line in told.splitlines():
        if line.startswith("# "):
            place = "top" if "(at the top)" in line else "webhook" if "(in [webhook])" in line else ""
        added[place] += f"{line}\n"
    text = file.read_text().replace("[webhook]\n", f"[webhook]\n{added['webhook']}", 1)
    file.write_text(f"{added['top']}{text}\n{added['']}")
    monkeypatch.setenv(SECRET_ENV, SECRET)
    target = read_target(file)
    assert target.upstream is not None
    assert target.webhook.previous_secret is not None
    assert list(target.operations) == ["subscribe"]


@pytest.mark.parametrize(
    ("behave", "told"),
    [
        (hostile.close_at_once, "!!  host"),
        (hostile.always(404), "answers 404: there is none; put the right path into [webhook]"),
        (hostile.always(400), "genuine events refused: "),
    ],
    ids=["gone", "no_webhook", "refuses"],
)
def test_a_target_that_is_not_reached(tmp_path, behave, told):
    """What cannot be reached, or refuses all, is marked with what was seen, and the code is 3."""
    with Server(behave) as server:
        ended = payproof_here("doctor", "--target", target_file(tmp_path, server.url))
    assert (ended.code, ended.err) == (3, "")
    assert told in ended.out


def test_a_webhook_that_is_elsewhere(tmp_path):
    """Where the path has no webhook and another one has, that is asked about."""
    with Server(lambda peer, one: peer.send(answer(400 if one.target == "/stripe/webhook" else 404))) as server:
        ended = payproof_here("doctor", "--target", target_file(tmp_path, server.url))
    assert ended.code == 3
    assert "POST /stripe/webhook answered 400 to an unsigned delivery: is it that?" in lines_of(ended, "webhook")[0]


def test_a_source_that_is_not_the_targets_own(tmp_path):
    """A log that does not move, and a database that is not there, are marked; the code is 3."""
    (tmp_path / "old.log").write_text("old\n")
    with billing(tmp_path) as server:
        still = payproof_here(
            "doctor", "--target", target_file(tmp_path, server.url, sources=sources(log="old.log"), waive=())
        )
        missing = payproof_here(
            "doctor", "--target", target_file(tmp_path, server.url, sources=sources("no.db"), waive=())
        )
    assert (still.code, missing.code) == (3, 3)
    assert lines_of(still, "log log")[0].startswith("!!")
    assert "does not show what was delivered" in lines_of(still, "log log")[0]
    assert lines_of(missing, "store database")[0].startswith("!!")
    assert "no.db" in lines_of(missing, "store database")[0]


def test_wrong_files(tmp_path):
    """A file that is wrong, or not there, is one line with code 4, and nothing is sent."""
    with Server(hostile.always(200)) as server:
        file = target_file(tmp_path, server.url, contract="rejected = 3")
        ended = payproof_here("doctor", "--target", file)
        absent = payproof_here("doctor", "--target", tmp_path / "absent.toml")
    assert (ended.code, absent.code, server.requests) == (4, 4, [])
    assert ended.line.startswith(f"payproof: {file}:")
    assert "absent.toml" in absent.line


def test_production_gets_no_events(tmp_path):
    """On production nothing genuine is delivered: what is reachable is told, and that no source can be shown."""
    with billing(tmp_path) as server:
        file = target_file(tmp_path, server.url, environment="production", sources=sources(), waive=())
        ended = payproof_here("doctor", "--target", file)
        assert not any(genuine(one) for one in server.requests)
    assert ended.code == 0
    assert "nothing is delivered on production" in ended.out


def test_what_a_target_is_made_of(tmp_path):
    """Framework and library are compared with what the file says of them."""
    missing = b"<!DOCTYPE html>\n<pre>Cannot POST /nothing</pre>"

    def behave(peer, request):
        if request.target != HOOK:
            return peer.send(answer(404, missing, kind=b"text/html; charset=utf-8"))
        words = b"No stripe-signature header value was provided."
        return peer.send(answer(200) if genuine(request) else answer(400, words))

    with Server(behave) as server:
        silent = payproof_here("doctor", "--target", target_file(tmp_path, server.url))
        contract = 'sdk = "python"\nframework = "express"'
        other = payproof_here("doctor", "--target", target_file(tmp_path, server.url, contract=contract))
    assert 'put framework = "express" into [contract]' in lines_of(silent, "framework")[0]
    assert 'put sdk = "node" into [contract]' in lines_of(silent, "sdk")[0]
    assert "express, as the file says" in lines_of(other, "framework")[0]
    assert "seems to be node" in lines_of(other, "sdk")[0]
    assert "the file says python" in lines_of(other, "sdk")[0]


def test_suspect_columns_are_told(tmp_path):
    """A column that looks as if it held payment data is named, with the lines that keep it."""
    with billing(tmp_path) as server:
        with closing(sqlite3.connect(tmp_path / "billing.db")) as database:
            database.execute("CREATE TABLE cards (id TEXT, card_number TEXT)")
        file = target_file(tmp_path, server.url, sources=sources(), waive=())
        ended = payproof_here("doctor", "--target", file)
    assert "look as if they held payment data: cards.card_number" in ended.out
    kept = tomllib.loads(ended.out[ended.out.index("[[contract.keeps]]") :])
    assert (kept["contract"]["keeps"][0]["table"], kept["contract"]["keeps"][0]["column"]) == ("cards", "card_number")


def test_the_document_of_the_target_is_proposed(tmp_path):
    """An OpenAPI document that answers is proposed, with the operations that it seems to describe."""
    document = json.dumps({"openapi": "3.1.0", "paths": {HOOK: {"post": {}}, "/pay": {"post": {}}}}).encode()

    def behave(peer, request):
        if request.target == "/openapi.json":
            return peer.send(answer(200, document))
        return peer.send(answer(200 if genuine(request) else 400 if request.target == HOOK else 404))

    with Server(behave) as server:
        ended = payproof_here("doctor", "--target", target_file(tmp_path, server.url))
    assert '\nopenapi = "/openapi.json"\n' in ended.out
    assert '[operations.pay]\nrequest = "POST /pay"\ncalls = "POST /v1/payment_intents"\n' in ended.out
