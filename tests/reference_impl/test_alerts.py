"""Every alert rule names series that the service has, and is run by Prometheus's own evaluator both ways."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from payproof_reference import monitoring
from payproof_reference.services.stripe.breaker import Breaker
from payproof_reference.telemetry import metrics
from tests.components import need

FILE = Path(monitoring.__file__).with_name("alerts.yml")
RULES = {rule["alert"]: rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]}
DAY = 86_400

UP = 'up{job="billing"}'
REJECTED = 'billing_webhook_deliveries_total{result="rejected",reason="no_matching_signature"}'
ACCEPTED = 'billing_webhook_deliveries_total{result="accepted",reason="applied"}'
CLOSED, OPEN = (f'billing_stripe_breaker_state{{state="{state}"}}' for state in ("closed", "open"))
INTACT, VERIFIED = "billing_audit_intact", "billing_audit_verified_timestamp_seconds"
EXPIRY = "billing_tls_certificate_expiry_timestamp_seconds"
LOADS = 'billing_tls_certificate_loads_total{{result="{}"}}'
CALLS = 'billing_stripe_attempts_total{{operation="create_refund",result="{}"}}'
GIVEN_UP = 'billing_operations{status="given_up"}'

# Alert, series that must set it off, series that must not; one value a minute, evaluated at the minute that is given.
# Time begins at zero there, so that a time stamp is an age.
CASES = [
    ("BillingDown", 10, {UP: "1+0x2 0+0x10"}, {UP: "1+0x8 0+0x1 1+0x5"}),
    ("BillingDown", 10, {ACCEPTED: "0+1x10"}, {UP: "1+0x10"}),
    ("BillingDatabaseDown", 10, {"billing_database_up": "0+0x10"}, {"billing_database_up": "1+0x10"}),
    (
        "BillingWatchStopped",
        15,
        {"billing_sampled_timestamp_seconds": "60+0x15"},
        {"billing_sampled_timestamp_seconds": "0+60x15"},
    ),
    (
        "BillingWatchStopped",
        60,
        {'billing_background_failures_total{task="audit"}': "0+1x60"},
        {'billing_background_failures_total{task="audit"}': "0+0x50 1+0x20"},
    ),
    (
        "BillingServerErrors",
        10,
        {'billing_answers_total{status="500"}': "0+1x10", 'billing_answers_total{status="503"}': "0+1x10"},
        {'billing_answers_total{status="401"}': "0+9x10", 'billing_answers_total{status="503"}': "0+0x8 1+0x5"},
    ),
    ("BillingManyBadSignatures", 20, {REJECTED: "0+3x20"}, {REJECTED: "0+1x20", ACCEPTED: "0+90x20"}),
    (
        "BillingPlainHttp",
        20,
        {"billing_plain_http_refused_total": "0+0x15 1+0x5"},
        {"billing_plain_http_refused_total": "7+0x20"},
    ),
    (
        "BillingSlowRequests",
        20,
        {'billing_requests_too_slow_total{part="head"}': "0+9x20"},
        {'billing_requests_too_slow_total{part="head"}': "0+1x20"},
    ),
    ("BillingAuditBroken", 5, {INTACT: "0+0x5", VERIFIED: "60+0x5"}, {INTACT: "1+0x5", VERIFIED: "60+0x5"}),
    # Not before the first check, when nothing is known.
    ("BillingAuditBroken", 5, {INTACT: "1+0x1 0+0x4", VERIFIED: "60+0x5"}, {INTACT: "0+0x5", VERIFIED: "0+0x5"}),
    (
        "BillingAuditAppendFailed",
        20,
        {"billing_audit_append_failures_total": "0+0x15 1+0x5"},
        {"billing_audit_append_failures_total": "7+0x20"},
    ),
    ("BillingAuditNotVerified", 240, {VERIFIED: "60+0x240"}, {VERIFIED: "60+0x59 3600+0x59 7200+0x59 10800+0x65"}),
    ("BillingCertificateEndsSoon", 1, {EXPIRY: f"{29 * DAY}+0x1"}, {EXPIRY: f"{31 * DAY}+0x1"}),
    ("BillingCertificateEnds", 1, {EXPIRY: f"{6 * DAY}+0x1"}, {EXPIRY: f"{8 * DAY}+0x1"}),
    ("BillingCertificateRefused", 60, {LOADS.format("refused"): "0+0x30 1+0x30"}, {LOADS.format("taken"): "0+1x60"}),
    ("BillingBreakerOpen", 20, {CLOSED: "0+0x20", OPEN: "1+0x20"}, {CLOSED: "0+0x16 1+0x5", OPEN: "1+0x16 0+0x5"}),
    (
        "BillingStripeRefusesUs",
        20,
        {CALLS.format("configuration"): "0+0x15 1+0x5"},
        {CALLS.format("configuration"): "7+0x20", CALLS.format("card_declined"): "0+9x20"},
    ),
    (
        "BillingOperationsWait",
        1,
        {"billing_operations_oldest_pending_seconds": "3601+0x1"},
        {"billing_operations_oldest_pending_seconds": "3599+0x1"},
    ),
    ("BillingOperationGivenUp", 600, {GIVEN_UP: "2+0x300 3+0x300"}, {GIVEN_UP: "3+0x600"}),
]


def test_every_alert_has_a_case():
    """A rule that nobody has seen fire is none."""
    assert {alert for alert, *_ in CASES} == set(RULES)


def test_alerts_name_series_that_the_service_has():
    """Each metric in an expression, with the labels that are asked of it, is told by the service from its start on."""
    monitoring.announce_start(Breaker(), build="1")
    for status in ("pending", "given_up"):
        metrics.OPERATIONS.labels(status)
    metrics.BACKGROUND_FAILURES.labels("audit")
    there = {
        (sample.name, *sample.labels.items()) for family in metrics.REGISTRY.collect() for sample in family.samples
    }
    for rule in RULES.values():
        for name, matchers in re.findall(r"(billing_\w+)(?:{([^}]*)})?", rule["expr"]):
            wanted = set(re.findall(r'(\w+)="([^"]*)"', matchers))
            if name != "billing_answers_total":  # made by the first answer
                assert any(found[0] == name and wanted <= set(found[1:]) for found in there), (name, wanted)


def test_cases_use_series_that_the_service_has():
    """What the rules are tried on is what the service tells: the same names and the same labels."""
    monitoring.announce_start(Breaker(), build="1")
    shapes = {
        (sample.name.removesuffix("_created"), *sorted(sample.labels))
        for family in metrics.REGISTRY.collect()
        for sample in family.samples
    } | {("up", "job"), ("billing_answers_total", "status"), ("billing_operations", "status")}
    shapes.add(("billing_background_failures_total", "task"))
    for _, _, *both in CASES:
        for series in [*both[0], *both[1]]:
            name, _, labels = series.partition("{")
            assert (name, *sorted(re.findall(r"(\w+)=", labels))) in shapes


@pytest.mark.component("promtool")
def test_alerts_fire_when_they_should_and_only_then(tmp_path):
    """Prometheus's own evaluator sets off each alert by the series of its case, and not by the contrary ones."""
    need("promtool", shutil.which("promtool") is not None)
    tests = []
    for alert, minute, firing, quiet in CASES:
        rule = RULES[alert]
        # A sum has no labels; what is absent has those that were asked for.
        kept = {} if "sum(" in rule["expr"] else labels_of(UP if alert == "BillingDown" else next(iter(firing)))
        raised = {"exp_labels": rule["labels"] | kept, "exp_annotations": rule["annotations"]}
        for series, expected in ((firing, True), (quiet, False)):
            tests.append(
                {
                    "name": f"{alert} {'fires' if expected else 'is quiet'}",
                    "interval": "1m",
                    "input_series": [{"series": name, "values": values} for name, values in series.items()],
                    "alert_rule_test": [
                        {
                            "eval_time": f"{minute}m",
                            "alertname": alert,
                            "exp_alerts": [raised] * expected,
                        }
                    ],
                }
            )
    file = tmp_path / "alerts_test.yml"
    # JSON is YAML.
    file.write_text(json.dumps({"rule_files": [str(FILE)], "evaluation_interval": "1m", "tests": tests}))
    ended = subprocess.run(["promtool", "test", "rules", file], capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def labels_of(series: str) -> dict[str, str]:
    """Read the labels of a series."""
    return dict(re.findall(r'(\w+)="([^"]*)"', series))
