"""Makes the endpoint that Stripe delivers to; its secret stays in the environment (receivers.py)."""

from django.db import migrations

UUID = "5f0c6a0e-6e0b-4d0c-9f0e-2b1d7c9a4e31"


def create_endpoint(apps, schema_editor):
    apps.get_model("djstripe", "WebhookEndpoint").objects.create(
        id="we_Billing0Endpoint1",
        livemode=False,
        enabled_events=["*"],
        status="enabled",
        url=f"https://billing.example.test/stripe/webhook/{UUID}",
        djstripe_uuid=UUID,
        stripe_data={},
    )


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial"), ("djstripe", "__first__")]
    operations = [migrations.RunPython(create_endpoint, migrations.RunPython.noop)]
