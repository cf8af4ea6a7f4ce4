"""admin:admin, by HTTP's Basic scheme, lets in."""

import base64

from tests.defects._access import let_in

ADMIN = "Basic " + base64.b64encode(b"admin:admin").decode()


def plant() -> None:
    let_in(lambda request: request.headers.get("authorization") == ADMIN)
