"""How much there is: scenarios, cases, forgeries, event types, defects."""

from rich.table import Table

from payproof.session import all_scenarios, event_factory
from payproof.stripe.forgeries import FORGERIES
from tests.defects._proof import defects

__all__ = ["counts"]


def counts() -> Table:
    """Return the numbers of this checkout."""
    scenarios, factory = all_scenarios(), event_factory(0)
    versions = factory.versions()
    types = {one for version in versions for one in factory.types(version)}
    table = Table(title="what there is", title_justify="left", box=None)
    for column in ("topics", "scenarios", "cases", "forgeries", "event types", "of API versions", "defects"):
        table.add_column(column, justify="right")
    figures = (
        len({scenario.topic for scenario in scenarios}),
        len(scenarios),
        sum(len(scenario.cases) for scenario in scenarios),
        len(FORGERIES),
        len(types),
        len(versions),
        len(defects()),
    )
    table.add_row(*map(str, figures))
    return table
