"""The README's receivers: what is bought becomes the plan, and a deleted subscription ends it."""

from django.dispatch import receiver
from django_stripe_billing.signals import payment_failed, payment_succeeded, subscription_deleted

from shop.models import UserProfile


@receiver(payment_succeeded)
def on_payment_succeeded(sender, invoice, **kwargs):
    try:
        profile = UserProfile.objects.get(stripe_customer_id=invoice.get("customer"))
    except UserProfile.DoesNotExist:
        return
    profile.plan = "pro"
    profile.payment_failed_attempts = 0
    profile.save()


@receiver(payment_failed)
def on_payment_failed(sender, invoice, attempt_count, **kwargs):
    UserProfile.objects.filter(stripe_customer_id=invoice.get("customer")).update(payment_failed_attempts=attempt_count)


@receiver(subscription_deleted)
def on_subscription_deleted(sender, subscription, **kwargs):
    UserProfile.objects.filter(stripe_customer_id=subscription.get("customer")).update(plan="free")
