"""The SARIF report: the schema, what GitHub's code scanning takes, and that a target's words are text."""

import gzip
import json
from dataclasses import replace

import jsonschema
import pytest

from payproof.domain.problem import ProblemStatus
from payproof.reporters import RECORDED_FORMATS
from tests.reports.made_runs import SPOKEN, make_events, make_hostile_events, make_problems, write_report
from tests.sarif import sarif

ALL = tuple(ProblemStatus)


def written(events):
    """Return a run as SARIF."""
    return json.loads(write_report(RECORDED_FORMATS["sarif"], events))


def only_run(events):
    """Return the one run of the report."""
    (run,) = written(events)["runs"]
    return run


@pytest.mark.parametrize(
    "events",
    [make_events(40), make_events(0), make_problems(12, ALL), make_hostile_events()],
    ids=["run", "nothing", "statuses", "hostile"],
)
def test_validates(events):
    """Whatever was found, the report is SARIF 2.1.0."""
    jsonschema.Draft7Validator(sarif.read_schema()).validate(written(events))


def test_problem_is_a_result():
    """A result has the problem's fingerprint, level, place and command, and its rule the remedy and the score."""
    run = only_run(make_problems(1))
    (result,) = run["results"]
    (rule,) = run["tool"]["driver"]["rules"]
    assert result["partialFingerprints"]["payproof/v1"].isalpha()
    assert result["partialFingerprints"]["primaryLocationLineHash"].startswith(
        result["partialFingerprints"]["payproof/v1"]
    )
    assert result["ruleId"] == rule["id"] == "webhook_signature/rule_0/kind-0"
    (location,) = result["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "payproof.toml"
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "http: POST /0, 2xx"
    assert "`stripe.Webhook.construct_event`" in rule["help"]["markdown"]
    assert rule["properties"]["security-severity"] == "2.0"
    assert (result["level"], result["properties"]["severity"]) == ("note", "low")


def test_levels_and_scores_rise_with_severity():
    """The graver a problem, the higher its level and the score by which code scanning sorts."""
    run = only_run(make_problems(4))
    scores = [float(one["properties"]["security-severity"]) for one in run["tool"]["driver"]["rules"]]
    assert scores == sorted(scores)
    assert len(set(scores)) == 4
    assert [one["level"] for one in run["results"]] == ["note", "warning", "error", "error"]


def test_statuses():
    """A waived problem is suppressed with its reason, a known one unchanged, and advice is a note."""
    results = {one["properties"]["status"]: one for one in only_run(make_problems(4, ALL))["results"]}
    assert results["waived"]["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "as agreed"}
    ]
    assert {status: one["baselineState"] for status, one in results.items()} == {
        "new": "new", "known": "unchanged", "waived": "new", "advised": "new",
    }  # fmt: skip
    assert results["advised"]["level"] == "note"
    assert "baselineState" not in only_run(make_problems(1))["results"][0]


def test_unknown_and_not_judged_are_notifications():
    """What could not be judged, and why, stands beside the results, and a fault of Payproof apart."""
    (invocation,) = only_run(make_events(40))["invocations"]
    told = {one["descriptor"]["id"]: one["message"]["text"] for one in invocation["toolExecutionNotifications"]}
    assert told["judged"] == "billing.test (staging) at https://billing.test, described by payproof.toml"
    assert "fault of Payproof" in told["harness-fault"]
    assert "no answer in time" in told["unknown"]
    assert "[upstream] and [operations]" in "".join(
        one["message"]["text"] for one in invocation["toolExecutionNotifications"]
    )


@pytest.mark.parametrize("file", ["/home/somebody/payproof.toml", "../elsewhere/payproof.toml", "", "payproof_target"])
def test_place_is_in_the_repository(file):
    """A target file that is named from outside, or none, is named as code scanning can find it."""
    started, *rest = make_problems(1)
    (result,) = only_run([replace(started, file=file), *rest])["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "payproof.toml"


def test_limits_of_code_scanning():
    """Of very many problems the gravest are told, within what code scanning takes of results, rules, tags and bytes."""
    text = write_report(RECORDED_FORMATS["sarif"], make_problems(6000))
    (run,) = json.loads(text)["runs"]
    assert len(run["results"]) == 5000
    assert len(run["tool"]["driver"]["rules"]) <= 25_000
    assert "1000 problems" in run["invocations"][0]["toolExecutionNotifications"][-1]["message"]["text"]
    assert all(len(one["properties"]["tags"]) <= 10 for one in run["tool"]["driver"]["rules"])
    assert all(len(one["locations"]) == 1 for one in run["results"])
    assert len(gzip.compress(text.encode())) < 10_000_000


def test_texts_are_short():
    """No text is longer than code scanning takes, whatever a target says."""
    run = only_run(make_hostile_events())
    for rule in run["tool"]["driver"]["rules"]:
        assert all(len(rule[name]["text"]) <= 1024 for name in ("shortDescription", "fullDescription"))
        assert len(rule["id"]) <= 255
    assert all(len(one["message"]["text"]) <= 1024 for one in run["results"])


def test_results_are_told_apart():
    """No two problems have one rule and one fingerprint, by which code scanning would take them for one alert."""
    results = only_run(make_problems(200))["results"]
    found = {(one["ruleId"], one["partialFingerprints"]["primaryLocationLineHash"]) for one in results}
    assert len(found) == 200


def test_targets_words_are_text():
    """A message holds no link that a target made, and nothing that steers a terminal or turns the writing."""
    text = write_report(RECORDED_FORMATS["sarif"], make_hostile_events())
    (run,) = json.loads(text)["runs"]
    notes = run["invocations"][0]["toolExecutionNotifications"]
    messages = [one["message"]["text"] for one in (*run["results"], *notes)]
    assert sum(SPOKEN in one for one in messages) >= len(run["results"])
    assert not [one for one in messages if "](" in one]
    assert "\\u202e" not in text.replace("\\\\u202e", "")
    assert "\\u001b" not in text
