"""An answer of Stripe's is waited for without end."""

from dataclasses import replace

from reference_impl.services.stripe import connection, sdk


def plant() -> None:
    patient = replace(sdk.WRITES, attempt_seconds=600, total_seconds=3600)
    sdk.WRITES = connection.WRITES = patient
