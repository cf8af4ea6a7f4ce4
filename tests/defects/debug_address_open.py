"""Whoever asks for /.env gets the environment, which was put beside the service's files."""

from starlette.responses import PlainTextResponse

from payproof_reference.routes import stripe
from tests.defects._planting import open_path


def plant() -> None:
    open_path("/.env")

    @stripe.router.get("/.env")
    async def environment():
        return PlainTextResponse(
            "APP_ENV=production\nDB_PASSWORD=...\nDB_HOST=10.0.0.5\nPATH=/usr/local/bin:/usr/bin\n"
        )
