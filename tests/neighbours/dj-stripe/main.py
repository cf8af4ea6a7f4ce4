"""Makes the database with the webhook's endpoint and one known customer, and serves."""

import os

import django
from django.core.management import call_command

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)

from django.contrib.auth.models import User  # noqa: E402 - models exist after setup
from djstripe.models import Customer, WebhookEndpoint  # noqa: E402 - models exist after setup

port = os.environ["PORT"]
WebhookEndpoint.objects.create(
    id="we_Neighbour0Endpoint1",
    livemode=False,
    enabled_events=["*"],
    status="enabled",
    url=f"http://127.0.0.1:{port}/stripe/webhook/7a3b0d52-5a39-4c39-9c0f-0d6a4e3c2f11/",
    djstripe_uuid="7a3b0d52-5a39-4c39-9c0f-0d6a4e3c2f11",
    secret=os.environ["STRIPE_WEBHOOK_SECRET"],
    stripe_data={},
)
user = User.objects.create(username="ada", email="ada@example.test")
Customer.objects.create(id="cus_Neighbour0Ada1", livemode=False, subscriber=user, stripe_data={})
serve = ["gunicorn", "--bind", f"127.0.0.1:{port}", "--threads", "4", "django.core.wsgi:get_wsgi_application()"]
os.execvp(serve[0], serve)
