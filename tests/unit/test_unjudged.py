"""What cannot be judged, and by which tables of the target file it could be."""

from dataclasses import replace

import pytest

from payproof.domain.events import CaseFinished, Record
from payproof.domain.finding import Severity
from payproof.domain.needs import NEEDS
from payproof.domain.observation import Channel
from payproof.domain.sensitive import Secret
from payproof.domain.target import Environment, OpenApi, SourceSpec, Target, Waiver, Webhook
from payproof.domain.verdict import Skipped
from payproof.domain.wants import WANTS, sort_wants
from payproof.engine.unjudged import foresee_skip, group_unjudged
from payproof.language import decode_event, encode_event
from payproof.registry import steps
from payproof.session import all_scenarios, choose
from payproof.steps.fuzz_openapi import FuzzOpenapi

CASES = choose(all_scenarios())
HOOK = Webhook("/hooks/stripe", Secret("webhook secret", "whsec_" + "0" * 32), "2025-09-30.clover")
BARE = Target("shop", "http://127.0.0.1:8000", Environment.LOCAL, HOOK)
WATCHED = replace(
    BARE, stores=(SourceSpec("database", "sqlite:shop.db"),), logs=(SourceSpec("service", "file:shop.log"),)
)
WAIVED = replace(
    BARE,
    contract=replace(
        BARE.contract, waivers=(Waiver(Channel.STORE, "no access to it"), Waiver(Channel.LOG, "no access to it"))
    ),
)


def foreseen(target):
    """Return the titles of the groups that a target leaves unjudged, with how many cases each has."""
    told = ((case.id, why) for scenario, case in CASES if (why := foresee_skip(target, scenario, case)))
    return {group.title: len(group.cases) for group in group_unjudged(told)}


def test_every_need_wants_what_is_known():
    """Each need of a scenario names a table or key that reports know."""
    assert {need.want(BARE) for need in NEEDS.values()} <= WANTS.keys()
    assert {need.want(WATCHED) for need in NEEDS.values()} <= WANTS.keys()


def test_groups_of_a_usual_target():
    """A target with a database and a log leaves unjudged what needs Stripe's stand-in, and further tables."""
    groups = foreseen(WATCHED)
    assert next(iter(groups)) == "[upstream] and [operations]"
    assert {"[contract.rejection_record]", "openapi", "[process]", "[retention]", "[store_outage]"} <= groups.keys()
    assert "[[stores]]" not in groups


def test_a_target_that_opens_nothing():
    """Without a database, opened or waived, hardly a case is judged; with waivers only what needs one is not."""
    bare, waived = foreseen(BARE), foreseen(WAIVED)
    assert max(bare, key=bare.get) == "[[stores]]"
    assert waived["[[stores]]"] < bare["[[stores]]"]
    assert "[[logs]] and [contract.rejection_record]" in waived


def test_a_case_is_in_one_group():
    """A case that wants several tables counts once; what few of its group want besides is named with a number."""
    skipped = [
        ("a", Skipped("x; y", ("[operations]", "[upstream]"))),
        ("b", Skipped("x; y", ("[upstream]", "[operations]"))),
        ("c", Skipped("x; z", ("[upstream]", "[store_outage]"))),
        ("d", Skipped("w", ("openapi",))),
        ("e", Skipped("the target does not handle charge.failed")),
    ]
    first, second, last = group_unjudged(skipped)
    assert (first.title, first.cases, dict(first.also)) == (
        "[upstream] and [operations]",
        ("a", "b", "c"),
        {"[store_outage]": 1},
    )
    assert first.reasons == ("x; y", "x; z")
    assert (second.title, second.cases) == ("openapi", ("d",))
    assert (last.wants, last.reasons) == ((), ("the target does not handle charge.failed",))


def test_wants_are_kept_in_a_record():
    """A recorded run says what its skipped cases want, so that a report of it groups them the same way."""
    skipped = Skipped("the target file names no openapi", ("openapi",))
    event = CaseFinished("t/s[c]", "A rule", Severity.HIGH, skipped, Record(), 0.1, "payproof run")
    assert decode_event(encode_event(event), "run.jsonl", 1) == event


@pytest.mark.parametrize("name", sorted(steps()))
def test_steps_that_do_not_fit_want_what_is_known(name):
    """Whatever a step misses in a target has a reason, and names only tables and keys that reports know."""
    gap = steps()[name]().unfit(BARE)
    assert gap is None or (gap.why and set(gap.wants) <= WANTS.keys())


@pytest.mark.parametrize(
    ("paths", "fits"),
    [
        (["/hooks/stripe"], False),
        (["/stripe"], False),
        (["/hooks/stripe", "/"], True),
        (["/hooks/stripe", "/invoices"], True),
        ([], True),
    ],
)
def test_a_document_of_the_webhook_alone(paths, fits):
    """Where the OpenAPI document describes the webhook only, there is nothing that lets made-up requests in."""
    document = {"openapi": "3.1.0", "paths": {path: {"post": {}} for path in paths}}
    gap = FuzzOpenapi().unfit(replace(BARE, openapi=OpenApi("/openapi.json", document)))
    assert (gap is None) is fits
    assert FuzzOpenapi().unfit(replace(BARE, openapi=OpenApi("/openapi.json"))) is None


def test_order_of_wants():
    """Tables and keys stand in the order in which a file is best completed; unknown ones come last, none twice."""
    assert sort_wants(["zzz", "openapi", "[[stores]]", "openapi"]) == ("[[stores]]", "openapi", "zzz")
