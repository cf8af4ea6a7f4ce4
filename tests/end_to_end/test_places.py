"""Where a webhook may be: paths of one segment, paths that the query tells, targets that answer anything."""

import contextlib
import json
import sqlite3
from urllib.parse import parse_qs

import pytest

from tests.end_to_end.billing import genuine, sources
from tests.end_to_end.command import payproof_here, target_file
from tests.end_to_end.hostile import Server, answer

SCENARIO = "webhook_signature/unsigned_paths"
CASES = {"test", "retry", "debug", "trailing_slash", "upper_case", "double_slash", "dot_segments", "encoded_slash"}
BY_QUERY = "/index.php?option=shop&task=stripe_webhook"


@contextlib.contextmanager
def shop(folder, *, verified, unsigned=(), anywhere=False, page=404):
    """Run a shop: places where deliveries are verified, places where they are not, and what all others are answered."""
    database, log = folder / "billing.db", folder / "billing.log"
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE events (id TEXT PRIMARY KEY)")
    log.touch()

    def asked(target):
        path, _, query = target.partition("?")
        return path, {name: values[-1] for name, values in parse_qs(query).items()}

    def behave(peer, request):
        here = asked(request.target)
        known = here in map(asked, verified)
        if here in map(asked, unsigned) or (anywhere and not known) or (known and genuine(request)):
            event = json.loads(request.body)
            with contextlib.closing(sqlite3.connect(database, timeout=5)) as connection, connection:
                connection.execute("INSERT OR IGNORE INTO events VALUES (?)", (event["id"],))
            with log.open("a") as file:
                file.write(event["id"] + "\n")
            peer.send(answer(200, b'{"received": true}'))
        elif known:
            peer.send(answer(400))
        else:
            peer.send(answer(page, b"<h1>Welcome</h1>"))

    with Server(behave) as server:
        yield server


def verdicts(folder, server, path, *, watched=True):
    """Run the scenario; return the exit code, and each case's verdict."""
    more = {"sources": sources(), "waive": ()} if watched else {}
    contract = "rejected = [400]\nanswer_within = 30\neffect_within = 10\nsettle = 0.01"
    file = target_file(folder, server.url, contract=contract, **more)
    file.write_text(file.read_text().replace('"/webhooks/stripe"', f'"{path}"'))
    record = folder / "run.jsonl"
    ended = payproof_here("run", "--target", file, "--scenario", SCENARIO, "--report", record)
    assert ended.err == ""
    cases = [json.loads(line) for line in record.read_text().splitlines()][1:-1]
    found = {case["id"].partition("[")[2].rstrip("]"): case["verdict"] for case in cases}
    assert set(found) == CASES
    assert not [one for one in found.values() if one["kind"] == "errored"]
    return ended.code, found


def kinds(found):
    """Return the verdicts' kinds by case."""
    return {name: verdict["kind"] for name, verdict in found.items()}


@pytest.mark.parametrize(
    ("path", "page", "skipped"),
    [
        ("/webhook", 404, {"encoded_slash"}),
        ("/webhook", 302, {"encoded_slash"}),
        ("/hooks/stripe/", 200, set()),
        ("/", 404, {"encoded_slash", "trailing_slash", "upper_case"}),
        (BY_QUERY, 200, {"encoded_slash"}),
    ],
)
def test_a_correct_target_passes_wherever_its_webhook_is(tmp_path, path, page, skipped):
    """Whatever the path, and whatever unknown ones are answered: forms that it has pass, others are skipped by name."""
    with shop(tmp_path, verified=[path], page=page) as server:
        code, found = verdicts(tmp_path, server, path)
    assert code == 0
    assert {name for name, kind in kinds(found).items() if kind == "skipped"} == skipped
    assert {kind for name, kind in kinds(found).items() if name not in skipped} == {"passed"}
    assert all("path /" in found[name]["why"] for name in skipped)


@pytest.mark.parametrize(
    ("path", "unsigned", "case", "page"),
    [
        (BY_QUERY, "/index.php?option=shop&task=stripe_webhook_test", "test", 200),
        (BY_QUERY, "/index.php?option=shop_debug&task=stripe_webhook", "debug", 404),
        (BY_QUERY, "/index.php?option=shop&task=STRIPE_WEBHOOK", "upper_case", 200),
        ("/webhook", "/webhook/test", "test", 200),
        ("/webhook/", "/webhook", "trailing_slash", 404),
        ("/a/webhook", "/a%2Fwebhook", "encoded_slash", 200),
    ],
)
def test_a_forgotten_place_is_found(tmp_path, path, unsigned, case, page):
    """An unsigned twin fails its own case, whether its name is in the path or in the query, and no other."""
    with shop(tmp_path, verified=[path], unsigned=[unsigned], page=page) as server:
        code, found = verdicts(tmp_path, server, path)
    assert code == 1
    assert [name for name, kind in kinds(found).items() if kind == "failed"] == [case]
    assert {one["check"] for one in found[case]["findings"]} == {"absent_or_rejected", "nothing_changed"}


def test_a_page_for_everything_says_nothing_without_a_store(tmp_path):
    """Where every place is answered 200 and no store is watched, nobody knows what came of it: that is not passed."""
    with shop(tmp_path, verified=["/webhook"], page=200) as server:
        _, found = verdicts(tmp_path, server, "/webhook", watched=False)
    assert set(kinds(found).values()) == {"skipped"}
    assert "no store shows" in found["test"]["why"]


def test_a_target_that_takes_deliveries_anywhere_is_found(tmp_path):
    """A target that applies what comes to any place is not taken for one that shows a page everywhere."""
    with shop(tmp_path, verified=["/webhook"], anywhere=True) as server:
        code, found = verdicts(tmp_path, server, "/webhook")
    assert code == 1
    assert kinds(found)["test"] == "failed"
    assert {one["check"] for one in found["test"]["findings"]} == {"absent_or_rejected", "nothing_changed"}
