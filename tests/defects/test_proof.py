import pytest

from payproof.reporters.phrasing import summary
from payproof.session import all_scenarios
from tests.defects._proof import by_store, defects, load, naming, on_defect, tripped


def takes_long(defect):
    """Whether a defect is caught by requests that are made up, which takes half a minute."""
    return any(step.packages for scenario in naming(defect) for case in scenario.cases for step in case.phase.steps)


#: One of each topic, of the scenario with the fewest cases: `make test` proves of every topic that it can fail, `make
#: thorough` of every scenario.
FEWEST_FIRST = sorted(all_scenarios(), key=lambda one: (-len(one.cases), one.id))
FIRST = {next(iter(one.defects)) for one in {one.topic: one for one in FEWEST_FIRST if one.defects}.values()}


@pytest.mark.parametrize(
    "defect",
    [
        pytest.param(name, marks=[pytest.mark.thorough] if takes_long(name) or name not in FIRST else [])
        for name in defects()
    ],
)
def test_scenarios_catch_the_defects_that_they_name(defect):
    """On a service with one planted defect, every scenario that names it fails by the check that it states."""
    for store, scenarios in by_store(naming(defect)).items():
        caught_on(defect, store, scenarios)


@pytest.mark.thorough
@pytest.mark.parametrize(
    "defect",
    [
        "accepted_without_effect",
        "database_address_shown",
        "nothing_purged",
        "payload_in_temporary_file",
        "rejected_but_applied",
        "remembered_before_stored",
    ],
)
def test_defects_that_the_database_shows_are_caught_on_postgresql(defect):
    """What only a look into the database tells is seen on PostgreSQL as well; tests/targets has more for its types."""
    caught_on(defect, "postgresql", naming(defect))


def caught_on(defect, store, scenarios):
    """Hold scenarios that name a defect to failing on it by the check that they state."""
    with on_defect(defect, store) as session:
        for scenario in scenarios:
            caught, seen = tripped(session, scenario, scenario.defects[defect])
            told = "\n".join(f"{case.id}: {case.verdict.kind}: {summary(case.verdict)}" for case in seen)
            assert caught, f"{scenario.id} does not fail by {scenario.defects[defect]!r} on {defect}:\n{told}"


def test_every_defect_is_named_by_a_scenario():
    """A defect that no scenario names would be a hole."""
    named = {defect for scenario in all_scenarios() for defect in scenario.defects}
    assert named == set(defects())


@pytest.mark.parametrize("defect", defects())
def test_every_defect_says_what_is_wrong(defect):
    """The first line of a defect's docstring states the fault."""
    assert (load(defect).__doc__ or "").splitlines()[0].endswith(".")
