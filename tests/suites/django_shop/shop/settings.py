import os
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "not a secret: this shop is a test"
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = "shop.urls"
INSTALLED_APPS = ["shop"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
STATIC_URL = "static/"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "shop.sqlite3",
        "OPTIONS": {"timeout": 20},
        "TEST": {"NAME": BASE_DIR / "test.sqlite3"},  # in memory nobody but Django could read it
    }
}
if os.environ.get("SHOP_IN_MEMORY"):
    DATABASES["default"]["TEST"] = {}

STRIPE_WEBHOOK_SECRET = os.environ["STRIPE_WEBHOOK_SECRET"]
STRIPE_API_VERSION = "2022-11-15"
#: Whether the view is as Stripe's documentation has it, which reads a header that may be missing.
STRIPE_VIEW_AS_DOCUMENTED = bool(os.environ.get("SHOP_AS_DOCUMENTED"))

LOG_FILE = BASE_DIR / "shop.log"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"file": {"class": "logging.FileHandler", "filename": LOG_FILE, "formatter": "line"}},
    "loggers": {"shop": {"handlers": ["file"], "level": "INFO"}},
}
