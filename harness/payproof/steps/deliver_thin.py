import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.step import Step
from payproof.registry import step
from payproof.stripe.deliveries import signed_request

__all__ = ["DeliverThin"]

_TYPE, _KIND = "v1.billing.meter.error_report_triggered", "billing.meter"


@step
@dataclass(frozen=True, slots=True)
class DeliverThin(Step):
    """Deliver a thin event, as Stripe's API of version 2 has them, where snapshots of objects are expected.

    It names its object by a URL in place of holding it. ``url`` says what that is: ``own``, a path at Stripe's as it
    should be, or one that leads to another host: a ``whole`` URL there, one ``without_scheme``, or what looks like a
    path and, behind the base of Stripe's API, is none (``user_part``).
    """

    name: ClassVar[str] = "deliver_thin"
    url: Literal["own", "whole", "without_scheme", "user_part"] = "own"

    @property
    def shows_rows(self) -> bool:
        """Every row."""
        return True

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Make the event, sign it as an endpoint's events are, send it."""
        made = context.events.make_control()
        meter = made.id.replace("evt", "mtr", 1)
        path = f"/v1/billing/meters/{meter}"
        content = {
            "id": made.id,
            "object": "v2.core.event",
            "type": _TYPE,
            "livemode": context.target.webhook.livemode,
            "created": datetime.fromtimestamp(context.clock.now(), UTC).isoformat().replace("+00:00", ".000Z"),
            "context": None,
            "related_object": {"id": meter, "type": _KIND, "url": self._lead(context, path)},
        }
        body = json.dumps(content).encode()
        request = signed_request(context, made, body, note=f"{_TYPE}, a thin event, its object's url {self.url}")
        return [await context.send(replace(request, event=_TYPE, ids=(made.id, meter)))]

    def _lead(self, context: Context, path: str) -> str:
        if self.url == "own":
            return path
        base = context.stripe.elsewhere
        host = base.partition("//")[2]
        return {"whole": base, "without_scheme": f"//{host}", "user_part": f"@{host}"}[self.url] + path
