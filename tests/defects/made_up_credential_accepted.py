"""A credential is looked at for its form alone."""

import re

from tests.defects._access import let_in

FORM = re.compile(r"Bearer bil_[a-z]{20}_[\w-]{43}")


def plant() -> None:
    let_in(lambda request: bool(FORM.fullmatch(request.headers.get("authorization", ""))))
