import logging

import stripe
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shop.models import Invoice, ProcessedEvent, Subscription

logger = logging.getLogger("shop.stripe")


@csrf_exempt
@require_POST
def stripe_webhook(request):
    payload = request.body
    if settings.STRIPE_VIEW_AS_DOCUMENTED:
        sig_header = request.META["HTTP_STRIPE_SIGNATURE"]
    else:
        sig_header = request.headers.get("Stripe-Signature", "")
        if not sig_header.isascii():  # the SDK cannot compare it
            return HttpResponse(status=400)
    try:
        event = stripe.Webhook.construct_event(payload, sig_header, settings.STRIPE_WEBHOOK_SECRET)
    except ValueError:
        # Invalid payload
        return HttpResponse(status=400)
    except stripe.SignatureVerificationError:
        # Invalid signature
        logger.warning("delivery with an invalid signature")
        return HttpResponse(status=400)

    with transaction.atomic():
        _, new = ProcessedEvent.objects.get_or_create(stripe_id=event["id"], defaults={"type": event["type"]})
        if new:
            handle(event["type"], event["data"]["object"], event["created"])
    logger.info("event %s (%s) %s", event["id"], event["type"], "processed" if new else "seen before")
    return HttpResponse(status=200)


def handle(event_type, obj, created):
    if event_type in {"invoice.paid", "invoice.payment_succeeded"}:
        Invoice.objects.update_or_create(stripe_id=obj["id"], defaults={"amount": obj["amount_paid"], "status": "paid"})
    elif event_type == "invoice.payment_failed":
        Invoice.objects.update_or_create(stripe_id=obj["id"], defaults={"status": "failed"})
    elif event_type.startswith("customer.subscription."):
        subscription, _ = Subscription.objects.select_for_update().get_or_create(stripe_id=obj["id"])
        if created >= subscription.changed:  # an older event may come later
            subscription.status, subscription.changed = obj["status"], created
            subscription.save()
