"""Makes the database with its one known customer, and serves."""

import os

import django
from django.core.management import call_command

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()
call_command("migrate", run_syncdb=True, verbosity=0)

from django.contrib.auth.models import User  # noqa: E402 - models exist after setup
from shop.models import UserProfile  # noqa: E402 - models exist after setup

user = User.objects.create(username="ada", email="ada@example.test")
UserProfile.objects.create(user=user, stripe_customer_id="cus_Neighbour0Ada1")
address = f"127.0.0.1:{os.environ['PORT']}"
serve = ["gunicorn", "--bind", address, "--threads", "4", "django.core.wsgi:get_wsgi_application()"]
os.execvp(serve[0], serve)
