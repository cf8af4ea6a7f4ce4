"""A process that asks for a customer, as a request does, and waits for Stripe: to be killed meanwhile."""

import time

from payproof_reference.database.engine import open_database
from payproof_reference.services.audit.log import AuditLog
from payproof_reference.services.identity.roles import Principal, Role
from payproof_reference.services.operations import intake
from payproof_reference.services.operations.attempts import Attempts
from payproof_reference.services.operations.queue import Kind, WantedOperation
from payproof_reference.services.stripe.breaker import Breaker
from payproof_reference.services.stripe.calls import Caller
from payproof_reference.services.stripe.connection import Connection
from payproof_reference.services.stripe.live import LiveStripe
from payproof_reference.settings import Settings, load_settings

settings = load_settings(Settings)
engine, audit = open_database(settings.database_url.get_secret_value()), AuditLog(settings.audit_key)
stripe = Connection(settings.stripe_api_key, Caller(Breaker()), api_base=settings.stripe_api_base)
request = intake.OperationRequest(
    wanted=WantedOperation(kind=Kind.CREATE_CUSTOMER),
    principal=Principal("crd_asking", "ten_first", Role.OWNER),
    origin="192.0.2.1",
)
asked = intake.accept_operation(engine, audit, settings.credential_key, request, int(time.time()))
Attempts(engine, audit, LiveStripe(stripe), settings.give_up_seconds).attempt(asked.operation, request.origin)
