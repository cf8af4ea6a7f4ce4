"""A subscription keeps the plan that it began with, whatever the customer changes to."""

from tests.defects._planting import rewrite_rows


def plant() -> None:
    first = {}

    def kept(table, row, snapshot):
        if table != "subscriptions":
            return row
        return row | {"stripe_price_id": first.setdefault(snapshot.id, row["stripe_price_id"])}

    rewrite_rows(kept)
