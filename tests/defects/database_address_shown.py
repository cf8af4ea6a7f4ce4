"""When the database refuses, the answer tells where it is, as the settings have it."""

from starlette.responses import JSONResponse

from payproof_reference import app as application
from tests.defects._planting import on_database_error


def plant() -> None:
    create_app, address = application.create_app, []

    def remembering(settings, engine, gateway):
        address.append(settings.database_url.get_secret_value())
        return create_app(settings, engine, gateway)

    application.create_app = remembering
    on_database_error(lambda _error: JSONResponse({"error": f"cannot reach {address[0]}"}, 503))
