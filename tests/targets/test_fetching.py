"""Stripe is down while a webhook is handled: a shop that fetches what it hears of, right and with each fault."""

from contextlib import closing, contextmanager
from dataclasses import replace

import pytest

from payproof.canary import Ledger
from payproof.domain.control import ControlEvents
from payproof.domain.operation import UpstreamSpec
from payproof.domain.sensitive import Secret
from payproof.domain.target import Contract, Environment, SourceSpec, Target, Webhook
from payproof.domain.verdict import Failed, Passed, Skipped
from payproof.reporters.phrasing import summary
from payproof.session import Session, all_scenarios, choose
from payproof.session.upstream import open_upstream
from tests.double import NEWEST, OLDEST
from tests.targets.fetching import SECRET, fetching

SCENARIO = "webhook_delivery/failure_then_retry"
CASES = {case.name: (scenario, case) for scenario, case in choose(all_scenarios(), ids=[SCENARIO])}


@contextmanager
def session_on(folder, way, api_version=NEWEST):
    """Open a session on the shop, with the double as its Stripe."""
    spec, ledger = UpstreamSpec("http://127.0.0.1:0"), Ledger()
    # What works in a queue shows its calls only after the answer: its file says what calibration cannot be sure of.
    queued = way == "done_later"
    with (
        open_upstream(spec, ledger=ledger, api_version=api_version, seed=1) as upstream,
        fetching(folder / "shop.db", upstream.url, way) as url,
    ):
        target = Target(
            name="fetching shop",
            url=url,
            environment=Environment.LOCAL,
            webhook=Webhook("/", Secret("webhook secret", SECRET), api_version),
            stores=(SourceSpec("database", f"sqlite:{folder / 'shop.db'}"),),
            contract=Contract(effect_within=3.0, settle=0.3, handles=("*",)) if queued else Contract(effect_within=1.0),
            control=ControlEvents() if queued else None,
            upstream=replace(spec, url=upstream.url),
        )
        with closing(Session(target, seed=1, ledger=ledger, upstream=upstream)) as session:
            yield session


@pytest.mark.parametrize(("way", "case"), [*(("right", case) for case in CASES), ("done_later", "server_error")])
def test_work_that_is_made_up_for_holds(tmp_path, way, case):
    """Refused and done at the next delivery, or acknowledged and done later: both are right."""
    with session_on(tmp_path, way) as session:
        verdict = session.judge_case(*CASES[case]).verdict
    assert isinstance(verdict, Passed), summary(verdict)


def test_an_older_shape(tmp_path):
    """An application of an older API version is judged the same."""
    with session_on(tmp_path, "right", OLDEST) as session:
        verdict = session.judge_case(*CASES["server_error"]).verdict
    assert isinstance(verdict, Passed), summary(verdict)


@pytest.mark.parametrize(
    ("way", "told"),
    [("seen_first", "accepted when it came again"), ("failure_acknowledged", "the delivery was acknowledged")],
)
def test_work_that_is_lost_is_found(tmp_path, way, told):
    """What is remembered before the work, or acknowledged without it, is never done: a critical failure."""
    with session_on(tmp_path, way) as session:
        verdict = session.judge_case(*CASES["server_error"]).verdict
    assert isinstance(verdict, Failed), summary(verdict)
    assert {finding.check for finding in verdict.findings} == {"caught_up"}
    assert any(finding.expected.endswith("table subscriptions") for finding in verdict.findings)
    assert told in verdict.findings[0].seen


def test_a_shop_that_asks_nothing_is_skipped(tmp_path):
    """Where no call is made while an event is handled, there is nothing to judge, and the reason says so."""
    with session_on(tmp_path, "never_fetched") as session:
        verdict = session.judge_case(*CASES["server_error"]).verdict
    assert isinstance(verdict, Skipped), summary(verdict)
    assert "no event that the target handles makes it ask Stripe" in verdict.why
