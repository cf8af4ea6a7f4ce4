"""A credential that expires while a run lasts."""

import json

import pytest

from tests.end_to_end.billing import genuine, sources
from tests.end_to_end.command import payproof_here, target_file
from tests.end_to_end.hostile import Server, answer


@pytest.mark.parametrize(("lets_in", "kind"), [(10_000, "passed"), (10, "errored")])
def test_a_token_that_expires_in_the_run_leaves_the_case_unknown(tmp_path, monkeypatch, lets_in, kind):
    """A case whose requests were refused for an expired token is not passed: it is unknown, with exit code 3."""
    monkeypatch.setenv("PAYPROOF_TEST_TOKEN", "tok-" + "8f2c6d1e9b4a7035")
    log, asked = tmp_path / "billing.log", []

    def behave(peer, request):
        if not request.target.startswith("/webhooks/stripe"):
            asked.append(request)
            peer.send(answer(200 if len(asked) <= lets_in else 401))
        elif genuine(request):
            with log.open("a") as file:
                file.write(json.loads(request.body)["id"] + "\n")
            peer.send(answer(200))
        else:
            peer.send(answer(401))

    log.touch()
    contract = "answer_within = 30\neffect_within = 5"
    log_only = "[[logs]]" + sources().partition("[[logs]]")[2]
    owner = '[principals.owner]\ncredential_env = "PAYPROOF_TEST_TOKEN"\n'
    with Server(behave) as server:
        file = target_file(
            tmp_path, server.url, top='routes = ["GET /invoices"]', contract=contract,
            sources=log_only + owner, waive=("store",),
        )  # fmt: skip
        record = tmp_path / "run.jsonl"
        case = "error_handling/fuzz_routes[bodies]"
        ended = payproof_here("run", "--target", file, "--scenario", case, "--seed", 1, "--report", record)
    _, finished, _ = map(json.loads, record.read_text().splitlines())
    assert finished["verdict"]["kind"] == kind, finished["verdict"]
    assert ended.code == (0 if kind == "passed" else 3)
    if kind == "errored":
        assert finished["verdict"]["reason"] == "control failed"
        assert "GET /invoices was answered 200 before, and 401 after" in finished["verdict"]["detail"]
