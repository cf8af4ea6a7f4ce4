"""A Checkout that is complete counts as paid, whatever its payment status says."""

from payproof_reference.services.state import rows


def plant() -> None:
    right = rows.row_of

    def counted_as_paid(snapshot, **report):
        table, row = right(snapshot, **report)
        return table, row | {"payment_status": "paid"} if row.get("status") == "complete" else row

    rows.row_of = counted_as_paid
