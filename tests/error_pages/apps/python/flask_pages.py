from importlib.metadata import version

from flask import Flask, request
from serving import announce, fail, in_thread, page, waitress
from werkzeug.debug import DebuggedApplication
from werkzeug.serving import make_server


def create(**config):
    app = Flask("billing")
    app.config.update(config)

    @app.post("/webhooks/stripe")
    def hook():
        return fail()

    @app.post("/form")
    def form():
        return request.form["amount"]

    return app


def developed(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    in_thread(server.serve_forever)
    return server.port


production = waitress(create())
debugged = developed(
    DebuggedApplication(create(DEBUG=True, PROPAGATE_EXCEPTIONS=True), evalex=True, pin_security=False)
)
announce(
    version("flask"),
    flask_production_500=page(production),
    flask_production_404=page(production, "/nothing"),
    flask_production_405=page(production, method="GET"),
    flask_production_400_form=page(production, "/form"),
    flask_development_server_500=page(developed(create())),
    flask_debug_500=page(debugged),
    flask_debug_400_form=page(debugged, "/form"),
)
