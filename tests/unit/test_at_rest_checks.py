"""What the checks of data at rest say of searches, counts, schemas and purges, and when nothing can be said."""

from dataclasses import replace

import pytest

from payproof.checks.no_payment_data import NoPaymentData
from payproof.checks.no_suspect_columns import NoSuspectColumns
from payproof.checks.not_followed import NotFollowed
from payproof.checks.not_kept import NotKept
from payproof.checks.only_old_rows_purged import OnlyOldRowsPurged
from payproof.checks.purged_when_due import PurgedWhenDue
from payproof.domain.check import Expectation
from payproof.domain.events import Record, Unwatched
from payproof.domain.finding import Confidence, Severity
from payproof.domain.leak import Leak, NotRead, Place
from payproof.domain.observation import (
    Channel,
    ColumnCount,
    ColumnsSeen,
    Counted,
    Purged,
    Searched,
    StoreChange,
    SuspectColumn,
    TableChange,
)
from payproof.domain.scenario import Case, Phase, Requirement, Scenario
from payproof.domain.seen import Seen
from payproof.domain.target import Contract, Kept, KeptRows
from payproof.domain.verdict import Errored, Failed, Passed, Skipped
from payproof.engine.judge import judge
from payproof.errors import Reason

PLACE = Place("database", table="t", field="c", key="id=1")
PLAIN = Leak(
    PLACE, "canary", "card number (offered in query)", Confidence.CERTAIN, Severity.CRITICAL,
    shown="[card number: offered in query]",
)  # fmt: skip
HASHED = replace(PLAIN, form="sha256 in hex")
TEST_PAN = Leak(
    PLACE, "pan", "Visa published test card number", Confidence.CERTAIN, Severity.MEDIUM, shown="424242******4242"
)
LIVE_PAN = replace(TEST_PAN, what="Visa card number")


def searched(*leaks, **more):
    """Return a search of a store."""
    options = {"wanted": "canaries", "channel": Channel.STORE, "pieces": 10, "length": 100, "marked": True} | more
    return Searched(0, "database", leaks=leaks, **options)


def findings(check, *observations, contract=None):
    """Return what a check finds."""
    return list(check.judge(Seen(contract or Contract(), observations)))


@pytest.mark.parametrize(
    ("forms", "found"),
    [("written", ["as it is"]), ("hashed", ["sha256 in hex"]), ("any", ["as it is", "sha256 in hex"])],
)
def test_values_and_their_digests_are_told_apart(forms, found):
    """A value that is written and one that is hashed are faults of two rules."""
    seen = [one.seen for one in findings(NotKept(forms), searched(PLAIN, HASHED))]
    assert [how for how in ("as it is", "sha256 in hex") if any(how in one for one in seen)] == found


def test_live_and_test_numbers_are_told_apart():
    """A live number is out of place outside production, a test number in it, and both are told as what they are."""
    outside = [one.seen for one in findings(NoPaymentData(), searched(TEST_PAN, LIVE_PAN, wanted="patterns"))]
    assert "outside production" not in outside[0]
    assert "not one of those for tests, outside production" in outside[1]
    live = [one.seen for one in findings(NoPaymentData(), searched(TEST_PAN, LIVE_PAN, wanted="patterns", live=True))]
    assert "in production" in live[0]
    assert "production" not in live[1]


def test_a_suspect_column_needs_a_reason():
    """A column that looks as if it held payment data is a finding until the contract lists it."""
    suspect = SuspectColumn("cards", "pan", "card number", "its name", Severity.HIGH, Confidence.HIGH)
    schema = ColumnsSeen(0, "database", 1, 5, (suspect,))
    (finding,) = findings(NoSuspectColumns(), schema)
    assert "table cards, column pan" in finding.seen
    kept = Contract(keeps=(Kept("card*", "pan", "a vault's tokens"),))
    assert not findings(NoSuspectColumns(), schema, contract=kept)
    assert "a vault's tokens" in NoSuspectColumns().note(Seen(kept, (schema,)))


def counted(moment, counts, marked=True):
    """Return a count: column, attribute and number of each thing by how often."""
    columns = tuple(ColumnCount("t", column, attribute, which, n) for (column, attribute, which), n in counts.items())
    return Counted(0, "database", moment, 10, columns, marked if moment == "after" else None)


def of_all(column, attribute, n=1):
    """Return that a column holds a value of each of four things."""
    return {(column, attribute, which): n for which in range(4)}


IDS = of_all("id", "id")


def test_a_column_follows_when_it_gains_every_value():
    """A column that has gained all four values is told; one that has gained three, or had them before, is not."""
    before = counted("before", of_all("old", "brand", 7))
    three = {("chance", "brand", which): 1 for which in range(3)}
    after = counted("after", IDS | of_all("brand", "brand") | of_all("old", "brand", 7) | three)
    (finding,) = findings(NotFollowed(), before, after)
    assert "brand of each card in store database, table t, column brand" in finding.seen
    listed = Contract(keeps=(Kept("t", "brand", "shown to the customer"),))
    assert not findings(NotFollowed(), before, after, contract=listed)


def test_keys_of_a_listed_json_column_are_listed():
    """A JSON column that the contract lists is listed with all that is in it."""
    after = counted("after", IDS | of_all("card.brand", "brand"))
    assert findings(NotFollowed(), counted("before", {}), after)
    listed = Contract(keeps=(Kept("t", "card", "shown to the customer"),))
    assert not findings(NotFollowed(), counted("before", {}), after, contract=listed)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (of_all("a", "first six") | of_all("b", "last four"), True),
        (of_all("a", "first eight") | of_all("b", "last four"), True),
        (of_all("a", "first six") | of_all("a", "last four"), False),
        (of_all("a", "last four"), False),
        (of_all("a", "first six") | of_all("b", "first eight"), False),
    ],
)
def test_two_ends_in_two_places_are_too_much(columns, told):
    """One truncated form is allowed; the beginning in one place and the end in another are told."""
    seen = findings(NotFollowed(together=True), counted("before", {}), counted("after", IDS | columns))
    assert bool(seen) is told


ROWS = Contract(kept_rows=(KeptRows("t", 90, "charge.succeeded", stays=("customer.created",)),))
PLANTED = {("id", "old row of t", 0): 1, ("id", "young row of t", 1): 1, ("id", "stays row of t", 2): 1}
RIGHT = {key: n for key, n in PLANTED.items() if "old" not in key[1]}


@pytest.mark.parametrize(
    ("after", "left", "removed", "told"),
    [
        (PLANTED, RIGHT, 1, ""),
        (PLANTED, PLANTED, 0, "1 in table t"),
        (PLANTED, {("id", "young row of t", 1): 1}, 2, "1 removed from table t"),
        (PLANTED, {("id", "stays row of t", 2): 1}, 2, "1 removed from table t"),
        (PLANTED, RIGHT, 3, "3 removed from table t of database, 1 due"),
        (RIGHT, RIGHT, 0, "no old row in table t"),
    ],
)
def test_only_old_rows_go(after, left, removed, told):
    """What is due must go, and nothing else; and what was never there shows nothing."""
    change = StoreChange(2, "database", (TableChange("t", 0, removed), TableChange("audit", 3, 9, rejection_log=True)))
    observed = (counted("after", after), Purged(2, 0, 1.0), change, counted("purged", left))
    said = [one.seen for one in findings(OnlyOldRowsPurged(), *observed, contract=ROWS)]
    assert any(told in one for one in said) if told else not said


RECORDED = Contract(kept_rows=(KeptRows("t", 90, "charge.succeeded", from_arrival=True),))
ONE = {("id", "recorded row of t", 0): 1}


@pytest.mark.parametrize(
    ("after", "early", "late", "told"),
    [
        (ONE, ONE, {}, ""),
        (ONE, ONE, ONE, "1 in table t"),
        (ONE, {}, {}, "1 removed from table t"),
        ({}, {}, {}, "no row in table t"),
    ],
)
def test_rows_go_when_they_are_due(after, early, late, told):
    """What came today must outlast the purge of a day before its limit, and not that of a day after it."""
    counts = [replace(counted(moment, rows), about="t") for moment, rows in (("early", early), ("purged", late))]
    observed = (counted("after", after), Purged(2, 0, 1.0, 88), counts[0], Purged(2, 0, 1.0, 92), counts[1])
    said = [one.seen for one in findings(PurgedWhenDue(), *observed, contract=RECORDED)]
    assert said == ([told] if told else [])
    failed = (*observed, Purged(2, 1, 1.0, 92))
    assert findings(PurgedWhenDue(), *failed, contract=RECORDED) == []


def test_tables_are_judged_by_the_way_in_which_their_rows_are_planted():
    """Rows that are written are not asked of deliveries, nor those that are recorded."""
    written = KeptRows("w", 9, values={"id": "{id}", "at": "{time}"}, stays_with=({"open": True},))
    contract = Contract(kept_rows=(*RECORDED.kept_rows, written))
    observed = (counted("after", {}), Purged(2, 0, 1.0), counted("purged", {}))
    assert findings(OnlyOldRowsPurged(), *observed, contract=contract) == []
    said = [one.seen for one in findings(OnlyOldRowsPurged(how="written"), *observed, contract=contract)]
    assert said == ["no old row in table w", "no young row in table w", "no stays row in table w"]


@pytest.mark.parametrize("at", [None, 0])
def test_table_of_which_no_row_can_be_planted_is_skipped_by_name(at):
    """A limit that nothing can be shown of is not passed."""
    contract = Contract(kept_rows=(KeptRows("t", 90),))
    check = OnlyOldRowsPurged() if at is None else Expectation(OnlyOldRowsPurged(), at)
    case = Case("t/s[c]", "c", Phase((), (check,)))
    observed = (counted("after", {}), Purged(0, 0, 1.0), counted("purged", {}))
    verdict = judge(contract, SCENARIO, case, Record((), observed))
    assert isinstance(verdict, Skipped)
    assert "of table t no row can be planted" in verdict.why


CASE = Case("t/s[c]", "c", Phase((), (NoPaymentData(),)))
SCENARIO = Scenario("t/s", "A rule", Severity.HIGH, (Requirement("R1", "It must."),), None, (CASE,), {}, passive=True)


@pytest.mark.parametrize(
    ("observation", "verdict"),
    [
        (searched(wanted="patterns"), Passed),
        (searched(TEST_PAN, wanted="patterns", unread=(NotRead(PLACE, "x"),), marked=False), Failed),
        (searched(wanted="patterns", unread=(NotRead(PLACE, "locked"),)), Reason.SOURCE_UNREADABLE),
        (searched(TEST_PAN, wanted="patterns", spent=("x",), marked=False), Failed),
        (searched(wanted="patterns", spent=("of table t only 3 rows",), marked=False), Reason.BUDGET_SPENT),
        (searched(wanted="patterns", marked=False), Reason.MARKER_NOT_SEEN),
        (ColumnsSeen(0, "database", 0, 0, ()), Reason.MARKER_NOT_SEEN),
        (Purged(0, 1, 0.1), Reason.COMMAND_FAILED),
        (StoreChange(0, "database", ()), Skipped),
    ],
)
def test_what_was_not_searched_is_not_passed(observation, verdict):
    """A search that could not read, or saw no mark, says nothing; what it found all the same is a finding."""
    unwatched = (Unwatched(Channel.STORE, "database"),)  # as on production, where no marker is delivered
    got = judge(Contract(), SCENARIO, CASE, Record((), (observation,), unwatched))
    if isinstance(verdict, Reason):
        assert isinstance(got, Errored)
        assert got.reason is verdict
    else:
        assert isinstance(got, verdict)
