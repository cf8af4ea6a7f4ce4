"""Log lines carry no time of their own: the container's log driver is trusted to add one."""

import structlog

from payproof_reference.telemetry import logging


def plant() -> None:
    configure = logging.configure

    def without_time(stream):
        configure(stream)
        kept = [
            one for one in structlog.get_config()["processors"] if not isinstance(one, structlog.processors.TimeStamper)
        ]
        structlog.configure(processors=kept)

    logging.configure = without_time
