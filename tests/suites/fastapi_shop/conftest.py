import threading
import time

import pytest
import uvicorn
from app import Settings, create_app

SECRET = "whsec_" + "ofTheFastShop0123456789"


@pytest.fixture(scope="session")
def shop(tmp_path_factory):
    settings = Settings(database=tmp_path_factory.mktemp("shop") / "shop.db", webhook_secret=SECRET)
    server = uvicorn.Server(uvicorn.Config(create_app(settings), host="127.0.0.1", port=0, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}", settings
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="session")
def payproof_target(shop):
    url, settings = shop
    return {
        "url": url,
        "webhook": {"path": "/api/stripe", "secret": settings.webhook_secret, "api_version": "2026-08-26.dahlia"},
        "stores": [{"name": "orders", "url": f"sqlite:{settings.database}"}],
        "waive": [{"channel": "log", "reason": "the shop logs to the console of the test"}],
        "contract": {"sdk": "python"},
    }
