"""Problems as a user meets them: in a run, in its record, in a baseline, and between two runs."""

import json

import pytest
import stripe

from tests.end_to_end import hostile
from tests.end_to_end.command import SECRET, environment, payproof, target_file

CASES = ("--scenario", "webhook_signature/missing", "--scenario", "webhook_signature/wrong_secret")


def tells_the_cause(peer, request):
    """Refuse as the SDK's guide does, and pass its text on."""
    try:
        stripe.Webhook.construct_event(request.body, (request.header("Stripe-Signature") or b"").decode(), SECRET)
    except (ValueError, stripe.SignatureVerificationError) as error:
        peer.send(hostile.answer(400, json.dumps({"error": str(error)}).encode()))
    else:
        peer.send(hostile.answer(200))


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A folder with two recorded runs, of a target that takes everything and of its successor; and how they ended."""
    folder, ended = tmp_path_factory.mktemp("problems"), {}
    for name, behaviour in (("before", hostile.always(200)), ("after", tells_the_cause)):
        with hostile.Server(behaviour) as server:
            file = target_file(folder, server.url)
            record = ("--report", f"{name}.jsonl", "--report", f"{name}.xml")
            env = environment(GITHUB_ACTIONS="true")
            ended[name] = payproof("run", "--target", file.name, *CASES, *record, cwd=folder, env=env)
    return folder, ended


def test_one_cause_is_one_problem(runs):
    """A target that verifies nothing has one problem: the rule that implies the other stands for both."""
    _, ended = runs
    assert ended["before"].code == 1
    assert "1 problem; 4 cases judged, 0 % of the rules held" in ended["before"].out
    assert "also   webhook_signature/missing" in ended["before"].out


def test_what_is_seen_in_passing_is_a_problem_of_its_own_rule(runs):
    """Refusals that pass the SDK's text on leave the signature's rules held, and break the one of disclosure."""
    _, ended = runs
    assert ended["after"].code == 1
    assert "1 problem; 4 cases judged, 100 % of the rules held" in ended["after"].out
    assert "error_handling/disclosure" in ended["after"].out
    assert "4 passed, 0 failed" in ended["after"].out


def test_github_gets_an_annotation(runs):
    """On GitHub Actions each new problem is an annotation."""
    _, ended = runs
    (line,) = [one for one in ended["before"].out.splitlines() if one.startswith("::")]
    assert line.startswith("::error title=CRITICAL%3A Forged deliveries are accepted::POST /webhooks/stripe, 2xx")
    (line,) = [one for one in ended["after"].out.splitlines() if one.startswith("::")]
    assert line.startswith("::warning title=MEDIUM%3A Text of Stripe or its SDK is shown by answers::")


@pytest.mark.parametrize("wanted", ["1", "webhook_signature/missing[no_header]", "FINGERPRINT"])
def test_show_tells_everything(runs, wanted):
    """A problem is shown by its number or fingerprint, a case by its id, with what was sent and answered."""
    folder, _ = runs
    problem = payproof("show", "before.jsonl", "1", cwd=folder)
    fingerprint = problem.out.partition("  id     ")[2].split()[0]
    shown = payproof("show", "before.jsonl", wanted.replace("FINGERPRINT", fingerprint[:6]), cwd=folder)
    assert shown.code == 0
    assert "step 0: answered 200" in shown.out
    assert "webhook_signature/missing[no_header]: failed" in shown.out


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("7", "no problem '7' in it; they are numbered 1 to 1"),
        ("webhook_signature/missing[no_haeder]", "did you mean 'webhook_signature/missing[no_header]'?"),
    ],
)
def test_what_a_record_does_not_hold_is_refused(runs, wanted, told):
    """A problem or a case that is not there is one line, and code 4."""
    folder, _ = runs
    shown = payproof("show", "before.jsonl", wanted, cwd=folder)
    assert shown.code == 4
    assert told in shown.line


def test_runs_are_compared_over_ports(runs):
    """Of two runs at two ports, `payproof diff` tells what is new and what is mended."""
    folder, _ = runs
    changed = payproof("diff", "before.jsonl", "after.jsonl", cwd=folder)
    assert changed.code == 1
    assert changed.out.splitlines()[-1] == "1 new, 1 mended, 0 became unknown, 0 stayed"
    assert payproof("diff", "before.jsonl", "before.jsonl", cwd=folder).code == 0


@pytest.mark.thorough
def test_a_baseline_takes_out_what_is_known(runs):
    """What a run has written as its baseline breaks nothing in the next, and what is new does."""
    folder, _ = runs
    assert payproof("judge", "before.jsonl", "--write-baseline", "known.json", cwd=folder).code == 1
    assert payproof("judge", "before.jsonl", "--baseline", "known.json", cwd=folder).code == 0
    assert payproof("judge", "before.jsonl", "--baseline", "known.json", "--fail-on", "any", cwd=folder).code == 1
    assert payproof("judge", "after.jsonl", "--baseline", "known.json", cwd=folder).code == 1


def test_a_waiver_takes_out_what_is_decided(runs):
    """What a waiver names is told with its reason and breaks nothing; after its day it breaks."""
    folder, _ = runs
    for expires, code in (("2999-01-01", 0), ("2020-01-01", 1)):
        waiver = f'location: "error_handling/*", reason: only our gateway sees it, expires: {expires}'
        (folder / "accepted.yaml").write_text(f"waivers: [{{{waiver}}}]")
        judged = payproof("judge", "after.jsonl", "--waivers", "accepted.yaml", cwd=folder)
        assert judged.code == code
        assert ("waived: only our gateway sees it" in judged.out) is (code == 0)
        assert ("A waiver is over" in judged.out) is (code == 1)


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("error_handling/discloure", "did you mean 'error_handling/disclosure'?"),
        ("error_handlin/*", "no rule is called 'error_handlin/*'"),
    ],
)
@pytest.mark.parametrize("command", ["run", "doctor"])
def test_a_severity_of_no_rule_is_refused(tmp_path, command, rule, told):
    """A severity that would change nothing, as no rule is called so, is one line, and nothing is sent."""
    change = f'[[contract.severities]]\nrule = "{rule}"\nseverity = "low"\nreason = "only our gateway sees it"\n'
    with hostile.Server(hostile.always(200)) as server:
        file = target_file(tmp_path, server.url, sources=change)
        ended = payproof(command, "--target", str(file), cwd=tmp_path)
        assert not server.requests
    assert ended.code == 4
    assert f"{file}: contract.severities.0.rule: " in ended.line
    assert told in ended.line
