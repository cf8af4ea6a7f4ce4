"""A subscription that was in its trial stays so, whatever becomes of it when the trial ends."""

from tests.defects._planting import rewrite_rows


def plant() -> None:
    tried = set()

    def kept(table, row, snapshot):
        if table != "subscriptions":
            return row
        if row["status"] == "trialing":
            tried.add(snapshot.id)
        return row | {"status": "trialing"} if snapshot.id in tried else row

    rewrite_rows(kept)
