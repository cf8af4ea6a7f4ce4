"""The folder of the service is served, with the file of its settings."""

from tests.defects._access import serve


def plant() -> None:
    serve("/.env", "BILLING_DATABASE_URL=sqlite:///billing.db\nBILLING_OPENAPI=1\n")
