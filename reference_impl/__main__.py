"""Starts the service: `python -m reference_impl`, configured by `BILLING_*` variables."""

import os
import signal
import sys

from reference_impl import server
from reference_impl.app import create_app
from reference_impl.database.engine import open_database
from reference_impl.services import logging
from reference_impl.settings import MisconfiguredError, load_settings

__all__ = ["main"]


def main() -> int:
    """Serve until told to stop; 78 (EX_CONFIG), with one line on standard error, when the settings are refused."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    logging.configure()
    try:
        settings = load_settings()
        context = server.tls_context(settings)
        engine = open_database(settings.database_url.get_secret_value())
        listener = server.listen(settings)
    except MisconfiguredError as error:
        print(f"reference_impl: {error}", file=sys.stderr)  # noqa: T201 - for the operator, before any log is trusted
        return os.EX_CONFIG
    service = server.create_server(create_app(settings, engine), context)
    if settings.stop_with_parent:
        server.stop_at_end_of_input(service)
    try:
        service.run(sockets=[listener])
    finally:
        engine.dispose()
    return os.EX_OK


def stop(_number: int, _frame: object) -> None:
    """End the process as asked: uvicorn raises the signal again, and the default would be a death by signal."""
    raise SystemExit(os.EX_OK)


if __name__ == "__main__":
    sys.exit(main())
