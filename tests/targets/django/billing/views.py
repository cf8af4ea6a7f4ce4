"""The operations, which callers with a token ask for."""

import logging
import uuid
from functools import wraps

import stripe
from django.http import JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET, require_POST

from billing import gateway, requests
from billing.models import Access, Holding

log = logging.getLogger("billing")


def may_operate(request):
    """Whether the caller may do an operation: customer service may do all of them, a reader none."""
    return request.caller.role == "customer_service"


def get_own(request, identifier):
    """Return what was made for the caller's tenant; what is another's is not found."""
    return get_object_or_404(Holding, stripe_id=identifier, tenant=request.caller.tenant)


def operation(view):
    """Make a view of a function that returns one call of Stripe's SDK."""

    @require_POST
    @wraps(view)
    def perform(request, **ids):
        name = view.__name__
        if not may_operate(request):
            log.warning("request_forbidden", extra={"fields": {"operation": name, "role": request.caller.role}})
            return JsonResponse({"error": {"code": "forbidden"}}, status=403)
        try:
            call = view(request, **ids)
        except requests.InvalidFieldsError:
            return JsonResponse({"error": {"code": "invalid_request"}}, status=422)
        try:
            made = gateway.ask(call)
        except (stripe.StripeError, gateway.UnreadableAnswerError) as error:
            return _failed(name, error)
        Holding.objects.get_or_create(stripe_id=made, defaults={"operation": name, "tenant": request.caller.tenant})
        log.info("operation_done", extra={"fields": {"operation": name, "id": made}})
        return JsonResponse({"id": made}, status=201)

    return perform


def _failed(name, error):
    reference = str(uuid.uuid4())
    status, answer = gateway.tell(error)
    fields = {"operation": name, "reference": reference, "status": status, **gateway.describe(error)}
    log.error("operation_failed", extra={"fields": fields})
    return JsonResponse({"error": {**answer, "reference": reference}}, status=status)


@operation
def create_customer(request):
    """Create a customer, of whom Stripe is told nothing."""
    requests.take(requests.read_fields(request), ())
    return lambda client, options: client.v1.customers.create({}, options)


@operation
def subscribe(request):
    """Subscribe a customer of the caller's to a price."""
    fields = requests.take(requests.read_fields(request), ("customer", "price"))
    customer = get_own(request, fields["customer"])
    ordered = {
        "customer": customer.stripe_id,
        "items": [{"price": fields["price"]}],
        "payment_behavior": "error_if_incomplete",
    }
    return lambda client, options: client.v1.subscriptions.create(ordered, options)


@operation
def cancel(request, subscription):
    """Let a subscription of the caller's end with its period."""
    own = get_own(request, subscription)
    requests.take(requests.read_fields(request), ())
    return lambda client, options: client.v1.subscriptions.update(
        own.stripe_id, {"cancel_at_period_end": True}, options
    )


@operation
def pay(request):
    """Take a payment from a customer of the caller's."""
    fields = requests.take(requests.read_fields(request), ("customer", "amount", "card"), ("currency",))
    customer = get_own(request, fields["customer"])
    payment = {
        "amount": fields["amount"],
        "currency": fields.get("currency", "usd"),
        "customer": customer.stripe_id,
        "payment_method": fields["card"],
        "confirm": True,
        "off_session": True,
    }
    return lambda client, options: client.v1.payment_intents.create(payment, options)


@operation
def refund(request):
    """Pay back a payment of the caller's."""
    fields = requests.take(requests.read_fields(request), ("payment",))
    payment = get_own(request, fields["payment"])
    return lambda client, options: client.v1.refunds.create({"payment_intent": payment.stripe_id}, options)


@require_GET
def show_subscription(request, subscription):
    """Show a subscription of the caller's, and what Stripe's events have said of it."""
    own = get_own(request, subscription)
    access = Access.objects.filter(subscription=own.stripe_id).first()
    return JsonResponse({"id": own.stripe_id, "status": access.status if access else None})


def bad_request(request, exception):
    """Answer what cannot be read."""
    return JsonResponse({"error": {"code": "invalid_request"}}, status=400)


def not_found(request, exception):
    """Answer what is not there, or not the caller's."""
    return JsonResponse({"error": {"code": "not_found"}}, status=404)


def server_error(request):
    """Answer what nobody caught; Django has logged it."""
    return JsonResponse({"error": {"code": "internal"}}, status=500)
