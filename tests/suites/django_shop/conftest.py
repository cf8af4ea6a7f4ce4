import pytest
from django.conf import settings
from django.db import connection


@pytest.fixture(scope="session")
def payproof_target(django_db_setup, live_server):
    return {
        "url": live_server.url,
        "webhook": {
            "path": "/stripe/webhook/",
            "secret": settings.STRIPE_WEBHOOK_SECRET,
            "api_version": settings.STRIPE_API_VERSION,
        },
        "stores": [{"name": "database", "url": f"sqlite:{connection.settings_dict['NAME']}"}],
        "logs": [{"name": "log", "url": f"file:{settings.LOG_FILE}"}],
        "contract": {"sdk": "python"},
    }
