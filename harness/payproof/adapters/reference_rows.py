"""What the reference service promises of its tables (reference_impl/docs/retention.md), and what makes their rows."""

from payproof.domain.target import KeptRows

__all__ = ["AHEAD", "KEPT_ROWS"]

_OLD = 400

KEPT_ROWS = (
    KeptRows("checkout_sessions", 90, "checkout.session.completed"),
    KeptRows("customers", _OLD, "customer.deleted", stays=("customer.created",)),
    KeptRows("disputes", _OLD, "charge.dispute.closed", stays=("charge.dispute.created",)),
    KeptRows("invoices", _OLD, "invoice.paid", stays=("invoice.payment_failed",)),
    KeptRows("payments", _OLD, "charge.succeeded"),
    KeptRows("subscriptions", _OLD, "customer.subscription.deleted", stays=("customer.subscription.updated",)),
    # Their ages are of this service's own clock.
    KeptRows("inbox", 90, "charge.succeeded", from_arrival=True),
    KeptRows("audit_log", 365, "charge.succeeded", from_arrival=True),
    # No event makes these.
    KeptRows(
        "credentials",
        _OLD,
        values={
            "credential_id": "cred_{id}",
            "tenant_id": "ten_{id}",
            "role": "auditor",
            "secret_digest": "none",
            "created_at": "{time}",
            "expires_at": "{time}",
        },
    ),
    KeptRows(
        "operations",
        90,
        values={
            "operation_id": "op_{id}",
            "tenant_id": "ten_{id}",
            "credential_id": "cred_{id}",
            "kind": "refund",
            "status": "succeeded",
            "request_digest": "none",
            "attempts": 1,
            "created_at": "{time}",
        },
        # Without a time for its next attempt nothing takes it up.
        stays_with=({"status": "pending"},),
    ),
    KeptRows(
        "sign_in_failures",
        1,
        values={"party": "cred_{id} 192.0.2.1", "failures": 1, "last_failed_at": "{time}"},
    ),
)

#: Runs a module of Python with a clock that is ahead. The service itself has no option for it: a purge that believes
#: whatever time it is told would be a way to remove evidence.
AHEAD = """
import runpy, sys, time
right, ahead = time.time, float(sys.argv[1])
time.time = lambda: right() + ahead
sys.argv = sys.argv[3:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""
