from importlib.metadata import version

import fastapi
import pydantic
from fastapi.responses import JSONResponse
from serving import announce, fail, page, uvicorn
from starlette.applications import Starlette
from starlette.routing import Route


class Amount(pydantic.BaseModel):
    amount: int


def create(**options):
    app = fastapi.FastAPI(**options)

    @app.post("/webhooks/stripe")
    def hook():
        return fail()

    @app.post("/amount")
    def amount(body: Amount):
        return body

    @app.post("/amount_as_text")
    def amount_as_text(body: dict):
        try:
            Amount.model_validate({"amount": "4242 4242"})
        except pydantic.ValidationError as error:
            return JSONResponse({"detail": str(error)}, 400)

    return app


async def starlette_hook(_request):
    fail()


plain = [Route("/webhooks/stripe", starlette_hook, methods=["POST"])]
production, debug = uvicorn(create()), uvicorn(create(debug=True))
bare, bare_debug = uvicorn(Starlette(routes=plain)), uvicorn(Starlette(routes=plain, debug=True))
announce(
    f"{fastapi.__version__}, Starlette {version('starlette')}, pydantic {version('pydantic')}",
    fastapi_production_500=page(production),
    fastapi_production_404=page(production, "/nothing"),
    fastapi_production_405=page(production, method="GET"),
    fastapi_production_422=page(production, "/amount", body='{"amount": "4242 4242"}'),
    fastapi_production_422_json=page(production, "/amount", body="{"),
    fastapi_production_422_missing=page(production, "/amount", body='{"value": "4242 4242"}'),
    fastapi_production_422_nothing=page(production, "/amount", body="{}"),
    fastapi_validation_as_text=page(production, "/amount_as_text"),
    fastapi_debug_500_html=page(debug, Accept="text/html"),
    fastapi_debug_500_text=page(debug),
    starlette_production_500=page(bare),
    starlette_production_404=page(bare, "/nothing"),
    starlette_debug_500_html=page(bare_debug, Accept="text/html"),
    starlette_debug_500_text=page(bare_debug),
)
