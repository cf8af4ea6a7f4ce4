"""Makes an event whose order waits for a known payment by Stripe, on SQLite, and serves."""

import os
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import django
from django.core.management import call_command

address = f"127.0.0.1:{os.environ['PORT']}"
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "shop_settings",
    "PRETIX_CONFIG_FILE": "pretix.cfg",
    "PRETIX_PRETIX_URL": f"http://{address}",
}
Path("data").mkdir()
django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)

from django.utils.timezone import now  # noqa: E402 - models exist after setup
from django_scopes import scopes_disabled  # noqa: E402 - models exist after setup
from pretix.base.models import Event, Order, OrderPayment, Organizer  # noqa: E402 - models exist after setup
from pretix.plugins.stripe.models import ReferencedStripeObject  # noqa: E402 - models exist after setup

with scopes_disabled():
    organizer = Organizer.objects.create(name="Shop", slug="shop")
    event = Event.objects.create(
        organizer=organizer,
        name="Concert",
        slug="concert",
        date_from=now() + timedelta(days=30),
        live=True,
        testmode=True,
        plugins="pretix.plugins.stripe",
    )
    event.settings.set("payment_stripe__enabled", True)
    event.settings.set("payment_stripe_endpoint", "test")
    event.settings.set("payment_stripe_secret_key", os.environ["STRIPE_API_KEY"])
    order = Order.objects.create(
        code="ADA01",
        event=event,
        email="ada@example.test",
        status=Order.STATUS_PENDING,
        datetime=now(),
        expires=now() + timedelta(days=10),
        total=Decimal("20.00"),
        testmode=True,
        sales_channel=organizer.sales_channels.get(identifier="web"),
    )
    payment = order.payments.create(
        amount=order.total, provider="stripe", state=OrderPayment.PAYMENT_STATE_PENDING, info="{}"
    )
    ReferencedStripeObject.objects.create(order=order, payment=payment, reference="pi_Neighbour0Ada1")
serve = ["gunicorn", "--bind", address, "--threads", "4", "shop_wsgi:application"]
os.execvp(serve[0], serve)
