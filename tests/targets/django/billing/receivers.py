"""What dj-stripe's signals lead to. Its own receivers come first, and fetch what an event names."""

import logging

from django.conf import settings
from django.db.models.signals import post_init, post_save, pre_save
from django.dispatch import receiver
from djstripe import signals
from djstripe.event_handlers import djstripe_receiver
from djstripe.models import Event, StripeModel, Subscription, WebhookEndpoint, WebhookEventTrigger

from billing.models import Access

log = logging.getLogger("billing")

#: What dj-stripe would keep of each delivery, refused ones too, and of each event: all of it, and texts of errors.
UNKEPT = {
    WebhookEventTrigger: {"body": "", "headers": {}, "exception": "", "traceback": ""},
    Event: {"data": {}, "stripe_data": {}, "metadata": None},
}


@receiver(post_init, sender=WebhookEndpoint)
def take_secret(instance, **kwargs):
    """Give the endpoint its secret, which stands in the environment and not in the database."""
    instance.secret = settings.STRIPE_WEBHOOK_SECRET


def is_own(event):
    """Whether an event is of this account, and of its mode: an endpoint for Connect gets those of others too."""
    told = event.stripe_data
    return not told.get("account") and not told.get("context") and event.livemode is settings.STRIPE_LIVE_MODE


def find_status(event):
    """Return a subscription's status as dj-stripe has fetched it: the event may be older than what is known."""
    if event.type == "customer.subscription.deleted":
        return "canceled"
    known = Subscription.objects.filter(id=event.data["object"]["id"]).first()
    return known.status if known else None


@djstripe_receiver(
    [
        f"customer.subscription.{what}"
        for what in (
            "created",
            "deleted",
            "paused",
            "pending_update_applied",
            "pending_update_expired",
            "resumed",
            "trial_will_end",
            "updated",
        )
    ]
)
def update_access(sender, event, **kwargs):
    """Let a subscription give what it gives at Stripe."""
    if not is_own(event):
        log.info("webhook_ignored", extra={"fields": {"id": event.id, "type": event.type}})
        return
    told = event.data["object"]
    if status := find_status(event):
        Access.objects.update_or_create(
            subscription=told["id"], defaults={"customer": told["customer"], "status": status}
        )


@receiver(signals.webhook_post_process)
def note_event(instance, **kwargs):
    """Log that an event was processed, now or before."""
    log.info("webhook_processed", extra={"fields": {"id": instance.event.id, "type": instance.event.type}})


def forget(instance, **kwargs):
    """Take from what dj-stripe writes whatever no row is to keep, at any time."""
    blank = UNKEPT[type(instance)]
    instance.told = {name: getattr(instance, name) for name in blank}
    vars(instance).update(blank)


def remember(instance, **kwargs):
    """Give back what dj-stripe goes on to work with."""
    vars(instance).update(instance.told)


@receiver(pre_save)
def drop_client_secret(instance, **kwargs):
    """Keep no secret that a payer's browser finishes a payment with: the service never needs it."""
    if isinstance(instance, StripeModel):
        instance.stripe_data.pop("client_secret", None)


for model in UNKEPT:
    pre_save.connect(forget, sender=model)
    post_save.connect(remember, sender=model)
