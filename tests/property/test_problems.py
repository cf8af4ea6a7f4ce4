"""Problems: shapes and fingerprints hold over seeds, ids, times and machines, and folding over the order of cases."""

from collections import Counter
from dataclasses import replace
from itertools import combinations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from payproof.domain.channel import Channel
from payproof.domain.events import CaseFinished, Record
from payproof.domain.finding import Finding, Severity, Spot
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Exchange, Sent
from payproof.domain.problem import Problem
from payproof.domain.shapes import shorten_line, shorten_name, strip_ids
from payproof.domain.spots import spot_of_answer, spot_of_call, spot_of_line
from payproof.domain.target import Contract, SeverityChange
from payproof.domain.verdict import Failed, Passed
from payproof.engine.folding import fold_findings
from payproof.engine.kind_table import KIND_TABLE
from tests.property.log_lines import NAMES, PATHS, TEMPLATES, Filling

SEEDS = st.integers(0, 10**9)
SHORTEST_VALUE = 4  # a shorter one may stand in any word


def fill(template: str, seed: int) -> tuple[str, list[str]]:
    """Return a line with values that the seed decides, and these."""
    filling = Filling(seed)
    return template.format_map(filling), filling.used


@pytest.mark.parametrize("template", TEMPLATES)
@given(seeds=st.tuples(SEEDS, SEEDS))
def test_lines_of_one_template_have_one_shape(template, seeds):
    """A line of a program has one shape, whatever ids, times, numbers, names and structures stand in it."""
    one, two = (fill(template, seed)[0] for seed in seeds)
    assert shorten_line(one) == shorten_line(two)


@given(seed=SEEDS)
def test_lines_of_different_templates_have_different_shapes(seed):
    """Two lines whose words differ have two shapes."""
    shapes = [shorten_line(fill(template, seed)[0]) for template in TEMPLATES]
    pairs = combinations(zip(TEMPLATES, shapes, strict=True), 2)
    assert [(one[0], two[0]) for one, two in pairs if one[1] == two[1]] == []


@pytest.mark.parametrize("template", TEMPLATES)
@given(seed=SEEDS)
def test_shapes_hold_no_values(template, seed):
    """No id, address, name or number of a line stands in its shape."""
    line, used = fill(template, seed)
    shape = shorten_line(line)
    fixed = shorten_line(fill(template, seed + 1)[0])
    assert not [value for value in used if len(value) >= SHORTEST_VALUE and value in shape and value not in fixed]
    assert 0 < len(shape) <= 160


@pytest.mark.parametrize("template", [one for one in TEMPLATES if not one.startswith("{{")])
@given(seed=SEEDS, colour=st.sampled_from(["\x1b[32m", "\x1b[1;31m", "\x1b[0m", "\x1b[38;5;200m", "\x1b[K"]))
def test_colours_are_no_part_of_a_shape(template, seed, colour):
    """A line has one shape with and without the colours of a terminal."""
    line = fill(template, seed)[0]
    assert shorten_line(colour + line.replace(" ", f"{colour} ") + "\x1b[0m") == shorten_line(line)


@given(st.text(max_size=400) | st.text(alphabet="{}[]()<>'\"\\=: a1.@/-_", max_size=400))
def test_any_text_has_a_shape(text):
    """Whatever a log holds has a shape of one short line."""
    shape = shorten_line(text)
    assert len(shape) <= 160
    assert "\n" not in shape


@pytest.mark.parametrize("template", PATHS)
@given(seeds=st.tuples(SEEDS, SEEDS))
def test_paths_of_one_route_are_one(template, seeds):
    """A route has one name, whatever ids its path holds, and keeps its own words."""
    one, two = (strip_ids(fill(template, seed)[0]) for seed in seeds)
    assert one == two
    assert one.split("/") == ["{}" if "{" in part else part for part in template.split("/")]


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/webhook",
        "/stripe_webhook",
        "/api/webhook_events",
        "/api/v2/payments",
        "/api-v1/hooks",
        "/oauth2/token",
        "/payment_intents",
        "/subscription_schedules",
        "/auth0/callback",
        "/.well-known/jwks.json",
        "/Webhooks/StripeEvents",
    ],
)
def test_words_of_a_path_are_kept(path):
    """What a program has called a route is no id, though a digit or an underline stands in it."""
    assert strip_ids(path) == path


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("billing.log", "billing.log"),
        ("billing.log.1", "billing.log.{}"),
        ("billing.db-wal", "billing.db-wal"),
        ("billing-2026-11-30.log", "billing-{}.log"),
        ("tmpab12cd_x", "{}"),
        ("dump_20261130T0709.sql.gz", "dump_{}.sql.gz"),
        ("deadbeefcafe.json", "{}.json"),
    ],
)
def test_file_names_are_kept_but_for_dates(name, shape):
    """A file that is made anew each day, or under a made-up name, is one place."""
    assert shorten_name(name) == shape


@pytest.mark.parametrize("template", NAMES)
@given(seeds=st.tuples(SEEDS, SEEDS))
def test_files_that_are_made_anew_are_one(template, seeds):
    """A program's files of one sort are one place, whatever id, date or number each is named by."""
    one, two = (shorten_name(fill(template, seed)[0]) for seed in seeds)
    assert one == two


@given(seeds=st.tuples(SEEDS, SEEDS), ports=st.tuples(st.integers(1, 65535), st.integers(1, 65535)))
def test_spots_hold_over_ids_and_ports(seeds, ports):
    """An answer of one route, a call to Stripe and a log line stand in one spot in each run on each machine."""
    spots = []
    for seed, port in zip(seeds, ports, strict=True):
        path = fill("/customers/{id}", seed)[0]
        sent = Sent("POST", f"http://127.0.0.1:{port}{path}?page={seed}", "", 0, "")
        exchange = Exchange(1, sent, Answer(400, (), "", 0, 0.0))
        line = fill(TEMPLATES[0], seed)[0]
        spots.append((spot_of_answer(exchange), spot_of_call(f"POST /v1{path}"), spot_of_line("service", line)))
    assert spots[0] == spots[1]


RULES = [f"topic/{name}" for name in "abcd"]
PLACES = [
    *(Spot(Channel.HTTP, "POST /webhook, 4xx"), Spot(Channel.HTTP, "POST /webhook"), Spot(Channel.STORE, "store s")),
    *(Spot(Channel.LOG, "log service"), Spot(Channel.LOG, "log service: event <..>")),
]
KINDS = [
    *(Kind.CARD_DATA, Kind.PERSONAL_DATA, Kind.SECRET, Kind.CARD_FACTS, Kind.FORGERY_ACCEPTED, Kind.FORGERY_MISTOLD),
    *(Kind.SDK_TEXT, Kind.STACK_TRACE, Kind.PAYMENT_COLUMN, Kind.STARTED_UNSAFE, "a kind of somebody else's"),
]


@st.composite
def findings(draw, rule):
    """Return a finding that counts against its case's rule, or against another one."""
    return Finding(
        draw(st.sampled_from(["rejected", "no_disclosure"])),
        "expected",
        draw(st.sampled_from(["seen", "seen otherwise"])),
        draw(st.integers(0, 3)),
        kind=draw(st.sampled_from(["", *KINDS])),
        spot=draw(st.none() | st.sampled_from(PLACES)),
        rule=draw(st.sampled_from(["", rule, *RULES, "error_handling/disclosure"])),
    )


@st.composite
def runs(draw):
    """Return the contract and the finished cases of a run."""
    severities = {rule: draw(st.sampled_from(Severity)) for rule in RULES}
    follows = {rule: tuple(draw(st.sets(st.sampled_from(RULES), max_size=2)) - {rule}) for rule in RULES}
    cases = []
    for number in range(draw(st.integers(1, 8))):
        rule = draw(st.sampled_from(RULES))
        seen = tuple(draw(st.lists(findings(rule), max_size=4)))
        verdict = Failed(seen, advised=draw(st.booleans())) if seen else Passed(("rejected",))
        passing = tuple(draw(st.lists(findings(rule), max_size=3)))
        severity = Severity.CRITICAL if draw(st.integers(0, 5)) == 0 else severities[rule]
        cases.append(
            CaseFinished(
                f"{rule}[{number}]",
                f"Title of {rule}",
                severity,
                verdict,
                Record(),
                1.0,
                f"payproof run --scenario {rule}[{number}]",
                passing=passing,
                follows_from=follows[rule],
            )
        )
    changes = st.builds(
        SeverityChange,
        rule=st.sampled_from([*RULES, "*", "topic/*"]),
        severity=st.sampled_from(Severity),
        reason=st.just("a reason of ours"),
        kind=st.sampled_from(["", *KINDS]),
        spot=st.sampled_from(["", *(one.name for one in PLACES)]),
    )
    return Contract(severities=tuple(draw(st.lists(changes, max_size=2)))), cases


def describe(problem: Problem) -> tuple[object, ...]:
    """Return all of a problem that must not depend on the order in which cases were judged."""
    seen = Counter((one.case, one.finding) for one in problem.sightings)
    told = (problem.rule, problem.kind, problem.spot, problem.severity, problem.title, problem.also, problem.advised)
    return (*told, problem.reason, problem.fingerprint, frozenset(seen.items()))


@given(runs(), SEEDS)
def test_folding_does_not_depend_on_the_order_of_cases(run, seed):
    """The same findings make the same problems, in the same order, whichever case was judged first."""
    contract, cases = run
    mixed = Random(seed).sample(cases, len(cases))
    folded, again = fold_findings(contract, cases), fold_findings(contract, mixed)
    assert [describe(one) for one in folded] == [describe(one) for one in again]


@given(runs())
def test_each_finding_is_in_one_problem(run):
    """What failed and what was seen in passing is told in exactly one problem, whatever the rules follow from."""
    contract, cases = run
    found = Counter[tuple[str, Finding]]()
    for case in cases:
        own = case.verdict.findings if isinstance(case.verdict, Failed) else ()
        found.update((case.id, one) for one in (*own, *case.passing))
    told = Counter((one.case, one.finding) for problem in fold_findings(contract, cases) for one in problem.sightings)
    assert told == found


@given(runs())
def test_no_problem_hides_a_graver_one(run):
    """What became part of a problem is no graver than that when it stands alone, and is advice where that is."""
    contract, cases = run
    for problem in fold_findings(contract, cases):
        for sighting in problem.sightings:
            (case,) = (one for one in cases if one.id == sighting.case)
            only = replace(sighting.finding, rule=sighting.finding.rule or case.id.partition("[")[0])
            failed = isinstance(case.verdict, Failed) and sighting.finding in case.verdict.findings
            advised = failed and case.verdict.advised and sighting.finding not in case.passing
            alone = replace(case, verdict=Failed((only,), advised=advised), passing=())
            others = [replace(one, verdict=Passed(()), passing=()) for one in cases if one is not case]
            (single,) = fold_findings(contract, [alone, *others])
            # Where the table does not say how grave a kind is, the rule of the run does, or the cases that saw it.
            if (single.kind in KIND_TABLE and KIND_TABLE[single.kind].severity) or single.reason:
                assert single.severity.rank <= problem.severity.rank
            assert not problem.advised or single.advised


def judged(rule: str, *seen: Finding, follows: tuple[str, ...] = (), severity: Severity = Severity.HIGH):
    """Return a case that failed by some findings."""
    title, verdict = f"Title of {rule}", Failed(tuple(replace(one, rule=rule) for one in seen))
    return CaseFinished(f"{rule}[one]", title, severity, verdict, Record(), 1.0, "again", follows_from=follows)


FOUND = Finding("check", "expected", "seen", kind=Kind.FORGERY_ACCEPTED, spot=PLACES[0])


def test_rules_that_follow_from_each_other_make_one_problem():
    """Two rules, each of which implies the other, are told as one problem, and neither is lost."""
    cases = [judged("topic/a", FOUND, follows=("topic/b",)), judged("topic/b", FOUND, follows=("topic/a",))]
    (problem,) = fold_findings(Contract(), cases)
    assert {*problem.cases} == {"topic/a[one]", "topic/b[one]"}
    assert {problem.rule, *problem.also} == {"topic/a", "topic/b"}


def test_a_milder_rule_stands_for_no_graver_one():
    """What follows from a rule that costs less is told by itself."""
    mild, grave = judged("topic/a", FOUND, severity=Severity.LOW), judged("topic/b", FOUND, follows=("topic/a",))
    assert [one.rule for one in fold_findings(Contract(), [mild, grave])] == ["topic/b", "topic/a"]


def test_a_crash_makes_no_rule_graver():
    """A case is critical by its crash; what other cases of the same rule found is as grave as the rule."""
    crash = judged("topic/a", replace(FOUND, kind=Kind.CRASH, spot=PLACES[2]), severity=Severity.CRITICAL)
    other = replace(judged("topic/a", FOUND, severity=Severity.MEDIUM), id="topic/a[two]")
    for cases in ([crash, other], [other, crash]):
        folded = {one.kind: one.severity for one in fold_findings(Contract(), cases)}
        assert folded == {Kind.CRASH: Severity.CRITICAL, Kind.FORGERY_ACCEPTED: Severity.MEDIUM}


def test_a_log_without_a_line_goes_with_its_line():
    """Where a value was seen in a log whose line is not known, that is the problem of the line that shows it too."""
    wide, fine = (Finding("check", "none", "seen", kind=Kind.PERSONAL_DATA, spot=spot) for spot in PLACES[3:])
    (problem,) = fold_findings(Contract(), [judged("topic/a", wide, fine)])
    assert (problem.spot, problem.also, len(problem.sightings)) == (PLACES[4], (), 2)


@given(runs())
def test_problems_differ_in_rule_spot_or_kind(run):
    """No two problems of a run have one fingerprint, and each has the one of its rule, spot and kind."""
    problems = fold_findings(*run)
    keys = [(one.rule, one.spot, one.kind) for one in problems]
    assert len(set(keys)) == len(keys) == len({one.fingerprint for one in problems})


@given(runs(), runs())
def test_fingerprints_change_with_rule_spot_and_kind_alone(one, two):
    """Two problems have the same fingerprint if and only if they break the same rule, in one spot, by one kind."""
    for mine in fold_findings(*one):
        for theirs in fold_findings(*two):
            same = (mine.rule, mine.spot, mine.kind) == (theirs.rule, theirs.spot, theirs.kind)
            assert (mine.fingerprint == theirs.fingerprint) is same


@given(runs(), st.sampled_from(["HTTP", "a\0b", "POST /webhook, 4xx"]))
def test_fingerprints_hold_no_digits(run, name):
    """A fingerprint is letters only: no digit of it can be taken for a card number's."""
    for problem in fold_findings(*run):
        assert replace(problem, spot=Spot(Channel.LOG, name)).fingerprint.isalpha()
