"""An event is refused when the last call to Stripe has failed."""

from starlette.exceptions import HTTPException

from payproof_reference.routes import stripe
from payproof_reference.services.stripe.breaker import Breaker


def plant() -> None:
    outages, report, read_body = [], Breaker.report, stripe.read_body

    def noting(self, *, outage):
        outages[:] = [outage]
        report(self, outage=outage)

    async def reading(request, limit):
        if outages == [True]:
            raise HTTPException(503)
        return await read_body(request, limit)

    Breaker.report, stripe.read_body = noting, reading
