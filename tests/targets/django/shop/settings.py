"""The settings, from the environment; the service does not start without one that it needs."""

import os
import re
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

BASE_DIR = Path(__file__).resolve().parent.parent


def required(name, pattern=r"\S+"):
    """Return a variable of the environment."""
    value = os.environ.get(name, "").strip()
    if not re.fullmatch(pattern, value):
        raise ImproperlyConfigured(f"the environment variable {name} is not set, or is only a placeholder")
    return value


SECRET_KEY = get_random_secret_key()  # nothing is signed that outlives the process
DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1"]
APPEND_SLASH = False
ROOT_URLCONF = "shop.urls"
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
SECURE_HSTS_SECONDS = 31_536_000

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "djstripe",
    "billing",
]
# No cookies, and so neither sessions nor CSRF: callers send a bearer token with each request.
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "billing.middleware.DirectCallersMiddleware",
    "billing.middleware.WebhookAuditMiddleware",
    "django.middleware.common.CommonMiddleware",
    "billing.middleware.BearerTokenMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / required("BILLING_DATABASE"),
        "OPTIONS": {
            "timeout": 10,
            # A transaction that begins by reading cannot wait for its turn to write.
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
        },
    }
}
# dj-stripe's tables as they are now: its history of migrations takes SQLite a minute.
MIGRATION_MODULES = {"djstripe": None}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "shop.json_log.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "stream": "ext://sys.stdout", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "billing": {"level": "INFO"},
        # They have handlers of their own else, which write what the libraries say.
        "django": {"handlers": []},
        "django.server": {"handlers": []},
    },
}

STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = required("STRIPE_API_KEY")
STRIPE_API_HOST = required("STRIPE_API_BASE")
STRIPE_CA_BUNDLE = os.environ.get("STRIPE_CA_BUNDLE", "")
STRIPE_WEBHOOK_SECRET = required("STRIPE_WEBHOOK_SECRET", r"whsec_[A-Za-z0-9+/=]{24,}")
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"

# Who may call, by token: a role and a tenant.
BILLING_CALLERS = [
    {"token": required("BILLING_TOKEN"), "role": "customer_service", "tenant": "one"},
    {"token": required("BILLING_READER_TOKEN"), "role": "reader", "tenant": "one"},
    {"token": required("BILLING_OTHER_TOKEN"), "role": "customer_service", "tenant": "other"},
]
