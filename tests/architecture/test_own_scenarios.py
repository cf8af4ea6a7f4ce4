"""docs/own-scenarios.md, done as it is written: its files in a folder, then its commands."""

import contextlib
import json
import re
import sqlite3
import tomllib
from pathlib import Path

import pytest

from tests.end_to_end import hostile
from tests.end_to_end.billing import billing, genuine, sources
from tests.end_to_end.command import environment, payproof, target_file
from tests.end_to_end.hostile import Server

TEXT = (Path(__file__).parents[2] / "docs" / "own-scenarios.md").read_text()
FILES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE))
SHOWN = re.search(r"^```text\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)[1].splitlines()
WRONG, CHECKED = "billing-rules/booked_twice.yaml", "billing-rules/no_session.yaml"
CONTRACT = "answer_within = 30\neffect_within = 2"


@pytest.fixture
def folder(tmp_path):
    """The folder of rules as it is when the wrong file is mended and no check of one's own is there yet."""
    (tmp_path / "billing-rules").mkdir()
    for name in FILES.keys() - {WRONG, CHECKED}:
        (tmp_path / name).write_text(FILES[name])
    return tmp_path


def test_mistakes_are_told_at_once(folder):
    """What the document shows of a wrong file is what the program says, and then what it says once that is mended."""
    (folder / WRONG).write_text(FILES[WRONG])
    ended = payproof("check-scenarios", "billing-rules", cwd=folder)
    assert ended.code == 4
    assert ended.out.splitlines() == [SHOWN[0], SHOWN[-1]]
    assert ended.err.splitlines() == SHOWN[1:-1]
    (folder / WRONG).write_text(FILES[WRONG].replace("repaly", "replay").replace("handbok", "handbook"))
    ended = payproof("check-scenarios", "billing-rules", cwd=folder)
    assert ended.code == 4
    assert "booked_twice.yaml:7: case 'one' has no positive control; " in ended.line
    (folder / WRONG).write_text((folder / WRONG).read_text().replace("[nothing_changed]", "[accepted, applied]"))
    ended = payproof("check-scenarios", "billing-rules", cwd=folder)
    assert "booked_twice.yaml:7: no event type 'charge.refundd' in " in ended.line
    (folder / WRONG).unlink()
    assert payproof("check-scenarios", "billing-rules", cwd=folder).code == 0


@pytest.mark.thorough
def test_they_run_beside_those_of_payproof(folder):
    """Named in the target file, the rules hold on a service that keeps them, and are listed and judged again."""
    with billing(folder) as server:
        more = {"sources": sources(), "waive": (), "contract": CONTRACT, "top": 'scenarios = ["billing-rules"]'}
        target_file(folder, server.url, name="payproof.toml", **more)
        ended = payproof("run", "--topic", "billing-rules", "--report", "run.jsonl", cwd=folder)
        assert ended.code == 0, ended.out + ended.err
        assert "2 passed, 0 failed" in ended.out
    assert "billing-rules/booked_once" in payproof("list", cwd=folder).out
    assert "Handbook of the billing team, 4.2" in payproof("explain", "billing-rules/booked_once", cwd=folder).out
    assert payproof("judge", "run.jsonl", cwd=folder).code == 0
    (folder / "payproof.toml").unlink()
    unknown = payproof("judge", "run.jsonl", cwd=folder)
    assert unknown.code == 4
    assert unknown.line.endswith("scenarios of your own are named with --scenarios DIR")
    assert payproof("judge", "run.jsonl", "--scenarios", "billing-rules", cwd=folder).code == 0


def test_a_rule_that_is_broken_fails(folder):
    """On a service that books a refund again the rule fails, and the line that repeats the case names the folder."""

    def book_again(peer, request):
        if not genuine(request):
            peer.send(hostile.answer(400))
            return
        with contextlib.closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as connection:
            connection.execute("INSERT INTO refunds (event) VALUES (?)", (json.loads(request.body)["id"],))
        peer.send(hostile.answer(200))

    with contextlib.closing(sqlite3.connect(folder / "ledger.db")) as connection:
        connection.execute("CREATE TABLE refunds (event TEXT)")
    store = '[[stores]]\nname = "ledger"\nurl = "sqlite:ledger.db"'
    with Server(book_again) as server:
        file = target_file(folder, server.url, sources=store, contract=CONTRACT, waive=("log",))
        named = ("--scenarios", "billing-rules", "--topic", "billing-rules")
        ended = payproof("run", "--target", file.name, *named, cwd=folder)
    assert "An event is applied more than once" in ended.out
    assert ended.code == 1
    assert re.search(
        r"payproof run --target target.toml --scenarios billing-rules --scenario '?billing-rules/", ended.out
    )


@pytest.mark.thorough
def test_a_check_of_ones_own(folder):
    """An installed package brings a check that scenarios then expect, and that fails on what breaks it."""
    (folder / CHECKED).write_text(FILES[CHECKED])
    told = payproof("check-scenarios", "billing-rules", cwd=folder)
    assert "no_session.yaml:6: unknown check 'no_cookie'" in told.line
    project = tomllib.loads(FILES["pyproject.toml"])["project"]
    described = folder / "our_checks-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    ((group, entries),) = project["entry-points"].items()
    lines = [f"{name} = {module}" for name, module in entries.items()]
    (described / "entry_points.txt").write_text("\n".join([f"[{group}]", *lines, ""]))
    env = environment(PYTHONPATH=str(folder))
    assert payproof("check-scenarios", "billing-rules", cwd=folder, env=env).code == 0

    def with_cookie(peer, request):
        signed = request.header("Stripe-Signature") is not None
        peer.send(hostile.answer(200 if signed else 400, headers=() if signed else (b"Set-Cookie: a=b",)))

    with Server(with_cookie) as server:
        file = target_file(folder, server.url)
        named = ("--scenarios", "billing-rules", "--scenario", "billing-rules/no_session")
        ended = payproof("run", "--target", file, *named, cwd=folder, env=env)
    assert ended.code == 1, ended.out + ended.err
    assert re.search(r"a Set-Cookie header; expected no\s+cookie", ended.out)
    assert "1 passed, 1 failed" in ended.out
