"""A process that asks for a customer, as a request does, and waits for Stripe: to be killed meanwhile."""

import time

from reference_impl.database.engine import open_database
from reference_impl.services import asking
from reference_impl.services.access import Principal, Role
from reference_impl.services.attempts import Attempts
from reference_impl.services.audit import AuditLog
from reference_impl.services.operations import Kind, Wanted
from reference_impl.services.stripe.breaker import Breaker
from reference_impl.services.stripe.calls import Caller
from reference_impl.services.stripe.connection import Connection
from reference_impl.services.stripe.live import LiveStripe
from reference_impl.settings import Settings, load_settings

settings = load_settings(Settings)
engine, audit = open_database(settings.database_url.get_secret_value()), AuditLog(settings.audit_key)
stripe = Connection(settings.stripe_api_key, Caller(Breaker()), api_base=settings.stripe_api_base)
request = asking.Request(
    wanted=Wanted(kind=Kind.CREATE_CUSTOMER),
    principal=Principal("crd_asking", "ten_first", Role.OWNER),
    origin="192.0.2.1",
)
asked = asking.ask(engine, audit, settings.credential_key, request, int(time.time()))
Attempts(engine, audit, LiveStripe(stripe), settings.give_up_seconds).attempt(asked.operation, request.origin)
