"""A tenant with customers, and the worker behind it, on Stripe in memory."""

import time
from dataclasses import dataclass, field
from itertools import count

import httpx
from sqlalchemy import Engine, text

from payproof_reference.database import tables
from payproof_reference.services.audit.log import AuditLog
from payproof_reference.services.operations.attempts import Attempts
from payproof_reference.settings import Settings
from tests.reference_impl.stripe_twin import InMemoryStripe

__all__ = ["Shop"]

NUMBERS = count(1)


@dataclass
class Shop:
    """What a tenant's own system does with the service; `client` is signed in."""

    client: object
    engine: Engine
    audit: AuditLog
    stripe: InMemoryStripe
    settings: Settings
    ahead: int = field(default=0)

    def post(self, path: str, body: object = None, key: str | None = None) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self.client.request("POST", f"/v1{path}", headers=headers, **({} if body is None else {"json": body}))

    def get(self, path: str, **query: object) -> httpx.Response:
        return self.client.request("GET", f"/v1{path}", params=query)

    def customer(self) -> str:
        """Create a customer."""
        return self.post("/customers").json()["id"]

    def subscription(self, customer_id: str | None = None) -> str:
        """Subscribe a customer, or a new one, to the small plan."""
        wanted = {"customer_id": customer_id or self.customer(), "price_id": "price_1"}
        return self.post("/subscriptions", wanted).json()["id"]

    def payment(self, customer_id: str | None = None, *, amount: int = 1000, **columns: object) -> str:
        """Let a customer, or a new one, have paid; gives the payment intent."""
        intent = f"pi_test{next(NUMBERS)}"
        self.stripe.paid[intent] = amount
        values = {
            "stripe_charge_id": intent.replace("pi_", "ch_"),
            "stripe_payment_intent_id": intent,
            "stripe_customer_id": customer_id or self.customer(),
            "status": "succeeded",
            "amount": amount,
            "amount_refunded": 0,
            "currency": "usd",
            "event_created_at": 1_700_000_000,
        }
        self.insert("payments", values | columns)
        return intent

    def insert(self, table: str, values: dict[str, object]) -> None:
        """Write a row."""
        with self.engine.begin() as connection:
            connection.execute(tables.metadata.tables[table].insert().values(values))

    def execute(self, statement: str, **values: object) -> None:
        """Change rows."""
        with self.engine.begin() as connection:
            connection.execute(text(statement), values)

    def now(self) -> float:
        """The time of the worker: `ahead` seconds after that of the requests."""
        return time.time() + self.ahead

    def attempts(self, gateway: object = None, **options: object) -> Attempts:
        """What the worker works with."""
        given = {"clock": self.now, "chance": lambda: 0.0} | options
        return Attempts(self.engine, self.audit, gateway or self.stripe, self.settings.give_up_seconds, **given)

    def work(self, ahead: int = 0) -> int:
        """Let the worker do all that is due so many seconds from now; gives how much it did."""
        self.ahead = ahead
        attempts, done = self.attempts(), 0
        while attempts.work_once():
            done += 1
        return done

    def operations(self, columns: str) -> list[tuple[object, ...]]:
        """Read the operations, oldest first."""
        rows = self.client.rows("operations", f"created_at, {columns}")
        return [row[1:] for row in sorted(rows, key=lambda row: row[0])]

    def calls(self, operation: str) -> list[str]:
        """The idempotency keys of the calls of one kind that Stripe got, in order."""
        return [call.idempotency_key for call in self.stripe.replay.calls if call.operation == operation]

    def read_audit_log(self, columns: str = "event") -> list[tuple[object, ...]]:
        """Read the audit log, oldest first."""
        rows = self.client.rows("audit_log", f"sequence, {columns}")
        return [row[1:] for row in sorted(rows)]
