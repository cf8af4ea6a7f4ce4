"""The query of each delivery is logged."""

import structlog

from tests.defects._planting import with_requests


def plant() -> None:
    log = structlog.get_logger()
    with_requests(lambda request, _: log.info("request", query=dict(request.query_params)))
