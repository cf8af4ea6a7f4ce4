import json
import re

import pytest

from payproof.domain.verdict import Failed, Passed
from payproof.reporters.phrasing import summary
from payproof.session import all_scenarios, choose, open_session
from tests.defects._proof import on_defect
from tests.end_to_end.command import environment, payproof, payproof_here, target_file
from tests.end_to_end.hostile import Server, answer

FUZZ = "error_handling/fuzz_openapi"


def refused(folder, behave, **file):
    """Run the fuzzer on a target that does not come to be fuzzed; return its one line."""
    with Server(behave) as server:
        ended = payproof_here("run", "--target", target_file(folder, server.url, **file), "--scenario", FUZZ)
        assert (ended.code, ended.out) == (4, "")
        return ended.line.removeprefix("payproof: ").replace(server.url, "URL")


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (404, b"", "no OpenAPI document at URL/openapi.json: status 404; see 'openapi' in the target file"),
        (200, b"<html>", "URL/openapi.json: no OpenAPI document: it names no version"),
        (200, b"{", "URL/openapi.json:2: the OpenAPI document is neither JSON nor YAML"),
    ],
)
def test_a_document_that_cannot_be_had(tmp_path, status, body, said):
    """An OpenAPI document that is not there, or is none, is refused in one line before anything else is sent."""
    line = refused(tmp_path, lambda peer, _request: peer.send(answer(status, body)), top='openapi = "/openapi.json"')
    assert line.startswith(said)


def test_a_file_that_is_not_there(tmp_path):
    """A value that is neither a file nor a path is refused with its line."""
    file = target_file(tmp_path, "https://billing.example", top='openapi = "api.yaml"')
    ended = payproof_here("run", "--target", file, "--scenario", FUZZ)
    assert ended.code == 4
    assert f"{file}:4: there is no file {tmp_path / 'api.yaml'}; name a file" in ended.line


def test_a_file_wins(tmp_path):
    """Where a file of the name is there, it is read, and the target is not asked for the document."""
    (tmp_path / "api.json").write_text(json.dumps({"openapi": "3.0.0", "paths": {}}))
    asked = []

    def behave(peer, request):
        asked.append(request.target)
        peer.send(answer(200))

    line = refused(tmp_path, behave, top='openapi = "api.json"')
    assert line == f"{tmp_path / 'api.json'}: the OpenAPI document describes no operation; see its 'paths'"
    assert not asked


def test_without_a_document_the_cases_are_skipped(tmp_path):
    """A target file that names no OpenAPI leaves the cases out, with the reason, and nothing is proven."""
    with Server(lambda peer, _request: peer.send(answer(200))) as server:
        ended = payproof("run", "--target", target_file(tmp_path, server.url), "--scenario", FUZZ, env=environment())
    assert ended.code == 5
    assert re.search(r"Not judged: 5 cases.*\n +5  openapi", ended.out)


def stateful(session):
    """Run the stateful case."""
    (choice,) = choose(all_scenarios(), ids=[f"{FUZZ}[stateful]"])
    return session.judge_case(*choice)


@pytest.mark.thorough
def test_a_stateful_run():
    """Sequences of operations, each with the ids that the one before it gave, pass on the reference service."""
    with open_session(None, seed=7) as session:
        finished = stateful(session)
    assert isinstance(finished.verdict, Passed), summary(finished.verdict)
    routes = {observation.sent.variant for observation in finished.record.observations if hasattr(observation, "sent")}
    assert len(routes) >= 8


@pytest.mark.thorough
def test_a_failure_that_needs_a_sequence():
    """What fails only for what an earlier operation made is found by sequences."""
    with on_defect("second_reading_fails") as session:
        finished = stateful(session)
    assert isinstance(finished.verdict, Failed), summary(finished.verdict)
    assert {finding.check for finding in finished.verdict.findings} == {"no_server_error"}


def test_a_run_that_fuzzes_has_its_report(tmp_path):
    """What was refused stands in the report, in the line that repeats it, and the run does not take that for a leak."""
    record = tmp_path / "run.jsonl"
    case = "error_handling/fuzz_routes[bodies]"
    ended = payproof(
        "run", "--reference", "--scenario", case, "--seed", 1, "--report", record, env=environment(), seconds=100
    )
    assert (ended.code, ended.err) == (0, "")
    _, finished, _ = (json.loads(line) for line in record.read_text().splitlines())
    assert any(one.get("sent", {}).get("example", "").startswith("curl ") for one in finished["record"]["observations"])
