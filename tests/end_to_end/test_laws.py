import contextlib
import json
import sqlite3
from xml.etree import ElementTree as ET

import pytest

from tests.end_to_end import hostile
from tests.end_to_end.billing import billing, sources
from tests.end_to_end.command import payproof_here, target_file
from tests.end_to_end.hostile import Server

MISSING = ("--scenario", "webhook_signature/missing[no_header]")
CONTRACT = "answer_within = 2\neffect_within = 2"


def verdicts(tmp_path, url, *options, **file):
    """Run on a target; return the exit code and each case's verdict by its id."""
    record = tmp_path / "run.jsonl"
    file = {"contract": CONTRACT, "sources": sources(), "waive": ()} | file
    ended = payproof_here("run", "--target", target_file(tmp_path, url, **file), "--report", record, *options)
    assert ended.err == ""
    cases = [json.loads(line) for line in record.read_text().splitlines()][1:-1]
    return ended.code, {case["id"]: case["verdict"] for case in cases}


@pytest.mark.parametrize("delay", [0.0, 0.3])
def test_target_that_works_after_its_answer_is_waited_for(tmp_path, delay):
    """A target that answers at once and applies later passes: its control sees the late effect."""
    with billing(tmp_path, delay=delay) as server:
        code, found = verdicts(tmp_path, server.url, *MISSING)
    assert (code, [verdict["kind"] for verdict in found.values()]) == (0, ["passed"])


def test_a_run_is_repeated_by_its_seed_on_what_the_first_has_left(tmp_path):
    """A target that keeps the ids of events takes those of a repeated run for new ones."""
    with billing(tmp_path) as server:
        for _ in range(2):
            code, found = verdicts(tmp_path, server.url, *MISSING, "--seed", 7)
            assert (code, [verdict["kind"] for verdict in found.values()]) == (0, ["passed"])


def test_forgery_that_is_applied_late_is_seen(tmp_path):
    """A target that answers 401 and applies the forgery 0.3 s later fails, as genuine events take as long."""
    with billing(tmp_path, delay=0.3, forged_delay=0.3) as server:
        code, found = verdicts(tmp_path, server.url, *MISSING)
    (verdict,) = found.values()
    assert (code, verdict["kind"]) == (1, "failed")
    assert {finding["check"] for finding in verdict["findings"]} == {"nothing_changed"}


def test_forgery_that_is_applied_later_than_genuine_events_is_seen_with_settle(tmp_path):
    """Where forgeries take longer than genuine events, the contract's settle is how long they are watched."""
    with billing(tmp_path, forged_delay=0.3) as server:
        code, _ = verdicts(tmp_path, server.url, *MISSING, contract=CONTRACT + "\nsettle = 0.6")
    assert code == 1


@pytest.mark.parametrize(("place", "channel"), [("database", "store"), ("log", "log")])
def test_watching_the_wrong_place_is_errored(tmp_path, place, channel):
    """A database or a log that the target does not write to does not show the marker: errored, never passed."""
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE events (id TEXT)")
    (tmp_path / "other.log").touch()
    wrong = {"database": sources(database="other.db"), "log": sources(log="other.log")}[place]
    about = MISSING if channel == "store" else ("--scenario", "audit_log/nothing_sensitive[without_signature]")
    with billing(tmp_path) as server:
        code, found = verdicts(
            tmp_path, server.url, *about, sources=wrong, contract="answer_within = 2\neffect_within = 0.3"
        )
    (verdict,) = found.values()
    assert (code, verdict["kind"]) == (3, "errored")
    assert verdict["reason"] == ("control failed" if channel == "store" else "marker not seen")


def test_second_store_that_is_not_written_to_is_errored(tmp_path):
    """With two stores, one of which shows no marker, what must not change is unknown."""
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE events (id TEXT)")
    second = '[[stores]]\nname = "second"\nurl = "sqlite:other.db"'
    contract = "answer_within = 2\neffect_within = 0.3"
    with billing(tmp_path) as server:
        code, found = verdicts(tmp_path, server.url, *MISSING, sources=sources(more=second), contract=contract)
    (verdict,) = found.values()
    assert (code, verdict["reason"]) == (3, "marker not seen")
    assert "second" in verdict["detail"]


@pytest.mark.parametrize(("leaks", "code", "kind"), [(False, 3, "errored"), (True, 1, "failed")])
def test_store_too_large_for_its_time_is_not_passed(tmp_path, leaks, code, kind):
    """Where the budget's time ends in a table, what was found counts, and else nothing is passed: the rest is named."""
    number = "4242" * 4
    with billing(tmp_path) as server:
        with contextlib.closing(sqlite3.connect(tmp_path / "billing.db")) as connection, connection:
            connection.execute("CREATE TABLE large (id INTEGER PRIMARY KEY, card_number)")
            numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
            connection.execute(
                f"INSERT INTO large {numbers} SELECT i, iif(i = 1 AND ?, ?, 'none') FROM n", (leaks, number)
            )
        scan = ("--scenario", "data_at_rest/pattern_scan")
        budget = sources() + "[budget]\nsearch_seconds = 1.0\n"
        ended, found = verdicts(tmp_path, server.url, *scan, sources=budget)
    (verdict,) = (one for case, one in found.items() if "store" in case)
    assert (ended, verdict["kind"]) == (code, kind)
    if not leaks:
        assert verdict["reason"] == "budget spent"
        assert "of table large only " in verdict["detail"]
        assert "within 1 s (search_seconds of [budget])" in verdict["detail"]


def test_without_sources_nothing_passes(tmp_path):
    """Without a store, and without a waiver for it, forgeries are not passed but skipped: nothing ran, code 5."""
    with billing(tmp_path) as server:
        code, found = verdicts(tmp_path, server.url, *MISSING, sources="", waive=())
    assert (code, [verdict["kind"] for verdict in found.values()]) == (5, ["skipped"])


def test_waived_sources_are_named_in_the_verdict(tmp_path):
    """With waivers the answers alone decide, and the verdict names what was waived."""
    with billing(tmp_path) as server:
        code, found = verdicts(tmp_path, server.url, *MISSING, sources="", waive=("store", "log"))
    (verdict,) = found.values()
    assert (code, verdict["kind"], verdict["held"]) == (0, "passed", ["rejected"])
    assert verdict["waived"] == ["nothing_changed (store)"]


def test_production_is_not_touched(tmp_path):
    """On production every case is skipped, the code is 5, and no connection is made at all, not even for the marker."""
    with Server(hostile.always(200)) as server:
        code, found = verdicts(tmp_path, server.url, environment="production", sources="", waive=("store", "log"))
        assert server.connections == 0
    assert (code, {verdict["kind"] for verdict in found.values()}) == (5, {"skipped"})
    assert len(found) > 100


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """The reports of one run with verdicts of three kinds, and how it ended."""
    folder = tmp_path_factory.mktemp("recorded")
    with billing(folder, forged_delay=0.0) as server:
        file = target_file(folder, server.url, contract=CONTRACT, sources=sources(), waive=())
        ended = payproof_here(
            "run", "--target", file, "--topic", "webhook_signature", "--severity", "critical",
            *("--scenario", "webhook_signature/expired", "--scenario", "webhook_signature/wrong_secret"),
            *("--scenario", "webhook_signature/retired_secret", "--scenario", "webhook_signature/two_timestamps"),
            *("--seed", 5, "--report", folder / "run.jsonl", "--report", folder / "run.xml"),
        )  # fmt: skip
    return folder, ended


def test_record_judged_again_says_the_same(recorded):
    """A run record holds all that its verdicts rest on: judged again it gives the same counts and the same code."""
    folder, ended = recorded
    again = payproof_here("judge", folder / "run.jsonl")
    assert (again.code, again.err) == (ended.code, "")
    assert again.code == 1

    def counted(text):
        return next(line for line in text.splitlines() if " passed, " in line).partition(" in ")[0]

    assert counted(again.out) == counted(ended.out)


def test_junit_counts_what_it_holds(recorded):
    """The JUnit report's numbers are those of its cases and those of the record's footer, and it names the seed."""
    folder, _ = recorded
    footer = json.loads((folder / "run.jsonl").read_text().splitlines()[-1])
    root = ET.parse(folder / "run.xml").getroot()
    assert root.tag == "testsuites"
    suites = root.findall("testsuite")
    assert [suite.get("name") for suite in suites] == ["webhook_signature"]
    for suite in suites:
        assert suite.find("properties/property[@name='seed']").get("value") == "5"
        cases = suite.findall("testcase")
        assert int(suite.get("tests")) == len(cases) == sum(footer["counts"].values())
        for attribute, tag, kind in (
            ("failures", "failure", "failed"),
            ("errors", "error", "errored"),
            ("skipped", "skipped", "skipped"),
        ):
            assert int(suite.get(attribute)) == len(suite.findall(f"testcase/{tag}")) == footer["counts"][kind]
        assert all(len(case) <= 1 for case in cases)
    assert footer["counts"]["skipped"]
    assert footer["counts"]["failed"]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda lines: lines[:-1], "cut short"),
        (lambda lines: lines[:1], "cut short"),
        (lambda lines: lines[1:], "cut short"),
        (lambda _: [], "cut short"),
        (lambda lines: [*lines[:-1], lines[-1][:40]], "not JSON; the record was cut short or edited"),
        (lambda lines: [lines[0], *lines[2:]], "lines were taken out or added"),
        (lambda lines: [lines[0], lines[1], lines[1], *lines[3:]], "stands twice in it"),
        (lambda lines: [lines[0].replace('"cases":', '"cases":1'), *lines[1:]], "lines were taken out or added"),
        (lambda lines: [*lines[:-1], lines[-1].replace('"unrun":0', '"unrun":3')], "and 3 did not run"),
        (lambda lines: [lines[0], "{}", *lines[2:]], ":2: not a line of a Payproof run record"),
        (lambda lines: [lines[0], "[]", *lines[2:]], ":2: not a line of a Payproof run record"),
        (lambda lines: [lines[0], '{"event":{}}', *lines[2:]], ":2: not a line of a Payproof run record"),
        (lambda lines: [lines[0], lines[1].replace('"seconds"', '"secs"'), *lines[2:]], ":2: "),
        (lambda lines: [lines[0], lines[1].replace("webhook_signature/", "webhook/"), *lines[2:]], "no case 'webhook/"),
    ],
    ids=[
        *(
            "no footer",
            "header only",
            "no header",
            "empty",
            "cut line",
            "line gone",
            "case twice",
            "more announced",
            "some unrun",
            "no event",
            "list",
        ),
        *("event is an object", "field renamed", "case renamed"),
    ],
)
def test_record_that_is_not_whole_is_refused(recorded, tmp_path, edit, said):
    """A record that was cut short or edited is refused with one line and code 4: truncation is never success."""
    lines = (recorded[0] / "run.jsonl").read_text().splitlines()
    file = tmp_path / "cut.jsonl"
    file.write_text("".join(line + "\n" for line in edit(lines)))
    ended = payproof_here("judge", file)
    assert ended.code == 4
    assert ended.line.startswith(f"payproof: {file}")
    assert said in ended.line


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'name = "a target file"', ": no run record; `payproof run --report FILE.jsonl` writes one"),
        (b'<?xml version="1.0"?>\n<testsuites/>', ": no run record; `payproof run --report FILE.jsonl` writes one"),
        (b'{"type": "leak"}\n', ":1: not a line of a Payproof run record"),
        (b"\x89PNG\xff", "not UTF-8; `payproof run --report FILE.jsonl` writes one"),
        (None, "cannot be read: Is a directory; "),
    ],
)
def test_record_that_is_none_is_refused(tmp_path, content, said):
    """A file of another sort is refused with one line that says what writes a record; code 4."""
    file = tmp_path / "run.jsonl"
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    ended = payproof_here("judge", file)
    assert ended.code == 4
    assert said in ended.line


def test_record_of_an_interrupted_run_stays_interrupted(recorded, tmp_path):
    """Judged again, a run that was interrupted is not green: the cases that did not run stay unknown."""
    header, *_, footer = (json.loads(line) for line in (recorded[0] / "run.jsonl").read_text().splitlines())
    footer |= {"exit_code": 2, "counts": dict.fromkeys(footer["counts"], 0), "unrun": header["cases"]}
    file = tmp_path / "interrupted.jsonl"
    file.write_text(f"{json.dumps(header)}\n{json.dumps(footer)}\n")
    assert payproof_here("judge", file).code == 2


def test_fault_of_the_harness_stays_errored_when_judged_again(recorded, tmp_path):
    """A case that ended by a fault of our own, without observations, does not become harmless by judging again."""
    header, case, *_, footer = (json.loads(line) for line in (recorded[0] / "run.jsonl").read_text().splitlines())
    nothing = {"control": [], "observations": [], "unwatched": [], "stopped": None}
    case |= {"record": nothing, "verdict": {"kind": "errored", "reason": "fault of the harness", "detail": "d"}}
    header["cases"] = 1
    footer |= {"exit_code": 3, "counts": {**dict.fromkeys(footer["counts"], 0), "errored": 1}}
    file = tmp_path / "fault.jsonl"
    file.write_text("\n".join(map(json.dumps, (header, case, footer))))
    assert payproof_here("judge", file).code == 3


def test_same_seed_makes_the_same_events_under_ids_of_its_own(tmp_path):
    """What is made up is the same for the same seed, but for ids, which are of one run; another seed shares nothing."""

    def made(seed):
        record = tmp_path / f"{seed}.jsonl"
        with Server(hostile.always(200)) as server:
            file = target_file(tmp_path, server.url)
            payproof_here(
                *("run", "--target", file, "--scenario", "webhook_signature/missing", "--seed", seed),
                *("--report", record),
            )
            events = [json.loads(request.body) for request in server.requests]
        return [one["id"] for one in events], [one["request"]["idempotency_key"] for one in events]

    (first, keys), (again, same), (other, others) = made(7), made(7), made(8)
    assert keys == same
    assert len(set(keys)) == len(set(first)) == len(first) > 3
    assert not set(first) & set(again)
    assert not set(first) & set(other)
    assert not set(keys) & set(others)
