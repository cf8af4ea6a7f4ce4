"""A webhook on Django with stripe-python: the handler of Stripe's quickstart, with models and a log file.

FAULTS names faults to seed, apart by commas; truths.toml says what each must be told as.
"""

import json
import logging
import os

import stripe
from django.db import DataError, IntegrityError, InterfaceError, ProgrammingError, transaction
from django.db.models import F
from django.http import JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shop.models import Account, Charge, Event, Subscription

FAULTS = set(os.environ.get("FAULTS", "").split(","))
endpoint_secret = os.environ.get("STRIPE_WEBHOOK_SECRET", "")
log = logging.getLogger("shop")
HANDLED = {
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "invoice.paid",
    "charge.succeeded",
}
# What comes of a body that is no event: keys that are not there, values of other types, text that is none.
MALFORMED = (LookupError, TypeError, ValueError, AttributeError, RecursionError, OverflowError)
MALFORMED += (DataError, IntegrityError, InterfaceError, ProgrammingError)


def apply(event):
    """Apply an event to the database."""
    thing = event["data"]["object"]
    if event["type"].startswith("customer.subscription."):
        new = {"customer": thing["customer"], "status": thing["status"], "changed": event["created"]}
        subscription, made = Subscription.objects.get_or_create(id=thing["id"], defaults=new)
        if not made and event["created"] >= subscription.changed:
            Subscription.objects.filter(id=thing["id"]).update(**new)
    elif event["type"] == "invoice.paid":
        Account.objects.get_or_create(customer=thing["customer"])
        Account.objects.filter(customer=thing["customer"]).update(paid=F("paid") + thing["amount_paid"])
    else:
        card = thing["payment_method_details"] if "keeps_card" in FAULTS else None
        kept = {"customer": thing["customer"] or "", "amount": thing["amount"], "card": card}
        Charge.objects.update_or_create(id=thing["id"], defaults=kept)
        if "logs_email" in FAULTS:
            log.info("charge of %s", thing["billing_details"]["email"])


@transaction.atomic
def take(event):
    """Apply an event once, where it is one that the shop handles; return what became of it."""
    if event["type"] not in HANDLED:
        return "ignored"
    _, new = Event.objects.get_or_create(id=event["id"])
    if new or "applies_twice" in FAULTS:
        apply(event)
    return "applied" if new else "known"


@require_POST
@csrf_exempt
def stripe_webhook(request):
    """Take a delivery."""
    payload = request.body
    signature = request.META.get("HTTP_STRIPE_SIGNATURE")
    try:
        if "skips_verification" not in FAULTS:
            stripe.Webhook.construct_event(payload, signature, endpoint_secret)
    except Exception as error:  # noqa: BLE001 (the library raises TypeError too, of a header that is not ASCII)
        log.info("delivery refused: %s", type(error).__name__)
        told = str(error) if "shows_sdk_text" in FAULTS else "not a delivery of ours"
        return JsonResponse({"error": told}, status=400)
    try:
        event = json.loads(payload)
        outcome = take(event)
    except MALFORMED:  # signed, and still no event as Stripe sends them
        log.info("delivery refused: not understood")
        return JsonResponse({"error": "not a delivery of ours"}, status=400)
    log.info("event %s %s %s", event["id"], event["type"], outcome)
    return JsonResponse({"received": True})
