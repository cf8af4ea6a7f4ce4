"""The path with a trailing slash redirects to an internal route that does not verify."""

from starlette.responses import RedirectResponse

from payproof_reference.routes import stripe
from tests.defects._planting import HOOK, open_path, unverified_route


def plant() -> None:
    unverified_route("/internal/stripe")
    open_path(f"{HOOK}/")

    @stripe.router.post(f"{HOOK}/")
    def move():
        return RedirectResponse("/internal/stripe")
