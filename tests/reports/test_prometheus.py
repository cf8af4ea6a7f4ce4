"""The metrics: what Prometheus itself reads of them."""

import re
import shutil
import subprocess
from collections import Counter
from textwrap import indent

import pytest
from prometheus_client.parser import text_string_to_metric_families

from payproof.domain.events import ProblemsFound
from payproof.domain.problem import ProblemStatus
from payproof.reporters import RECORDED_FORMATS
from tests.components import need
from tests.reports.document import PAGE
from tests.reports.made_runs import HOSTILE, make_events, make_hostile_events, make_problems, write_report

RUNS = {
    "run": make_events(60),
    "nothing": make_events(0),
    "statuses": make_problems(8, tuple(ProblemStatus)),
    "hostile": make_hostile_events(),
}


def samples(events):
    """Return the samples by name, each with its labels and value."""
    found = {}
    for family in text_string_to_metric_families(write_report(RECORDED_FORMATS["prometheus"], events)):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


@pytest.mark.parametrize("events", RUNS.values(), ids=RUNS)
def test_promtool_finds_nothing(events):
    """Prometheus's own linter takes every run, also one whose target is named to break out of a label."""
    need("promtool", shutil.which("promtool") is not None)
    text = write_report(RECORDED_FORMATS["prometheus"], events)
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_alerts_of_the_document_are_rules(tmp_path):
    """Prometheus takes the alerts of docs/reports.md, and each is about a metric that there is."""
    need("promtool", shutil.which("promtool") is not None)
    (block,) = re.findall(r"```yaml\n(- alert: .*?)```", PAGE.read_text(), re.DOTALL)
    file = tmp_path / "alerts.yaml"
    file.write_text("groups:\n- name: payproof\n  rules:\n" + indent(block, "  "))
    done = subprocess.run(["promtool", "check", "rules", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    named = set(re.findall(r"payproof_\w+", block))
    assert named
    assert named <= {*samples(make_events(3))}


def test_problems_are_counted_by_severity_and_status():
    """Each severity and status has a sample, zero where there is no such problem."""
    events = make_problems(9, (ProblemStatus.NEW, ProblemStatus.WAIVED))
    (found,) = [one for one in events if isinstance(one, ProblemsFound)]
    counted = Counter((one.problem.severity.value, one.status.value) for one in found.problems)
    told = {(labels["severity"], labels["status"]): value for labels, value in samples(events)["payproof_problems"]}
    assert len(told) == 4 * len(ProblemStatus)
    assert {key: value for key, value in told.items() if value} == counted


def test_cases_add_up():
    """Cases by topic and verdict are those of the footer, and those that did not run are apart."""
    events = make_events(60)
    told = Counter()
    for labels, value in samples(events)["payproof_cases"]:
        told[labels["verdict"]] += value
    assert told == events[-1].counts
    assert samples(events)["payproof_cases_unrun"] == [({"target": "billing.test"}, 0)]


def test_run_is_told():
    """When the run began, how long it took, how it ended, and what judged."""
    told = samples(make_events(3))
    assert told["payproof_run_start_timestamp_seconds"][0][1] == 1893553445
    assert told["payproof_run_duration_seconds"][0][1] == 12.5
    assert told["payproof_run_exit_code"][0][1] == 1
    assert told["payproof_run_info"][0][0] == {"target": "billing.test", "version": "1.2.3", "environment": "staging"}


def test_target_stays_in_its_label():
    """A target's name is read back as it was, and is no sample of its own."""
    found = samples(make_hostile_events())
    assert {name.removeprefix("payproof_") for name in found} == {
        "problems", "cases", "cases_unrun", "run_start_timestamp_seconds", "run_duration_seconds", "run_exit_code",
        "run_info",
    }  # fmt: skip
    assert {labels["target"] for every in found.values() for labels, _ in every} == {HOSTILE[0]}
