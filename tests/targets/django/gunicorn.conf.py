"""How gunicorn serves the project: over HTTPS, on this machine only, by threads of two workers."""

import logging
import os

bind = f"127.0.0.1:{os.environ.get('PORT', '0')}"
wsgi_app = "shop.wsgi:application"
workers = 2
threads = 4
keepalive = 75
graceful_timeout = 5
preload_app = True  # a mistake in the settings ends the start, and not one worker after the other
certfile = os.environ["BILLING_TLS_CERTIFICATE"]
keyfile = os.environ["BILLING_TLS_KEY"]
control_socket_disable = True
loglevel = "warning"


def when_ready(server):
    """Say where it listens."""
    port = server.LISTENERS[0].sock.getsockname()[1]
    logging.getLogger("billing").info("service_started", extra={"fields": {"port": port}})
