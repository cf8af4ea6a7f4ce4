"""Remedies for what answers tell, and for what a log or a store keeps of it."""

from collections.abc import Mapping

from payproof.domain.channel import Channel
from payproof.domain.kind import Kind
from payproof.engine.remedies.lines import NO_DEBUG, REFUSE
from payproof.engine.remedies.remedy import Remedy

__all__ = ["TOLD"]

_FIXED = "Answer every unexpected error with one fixed body and a reference, and write the exception to the log."

TOLD: Mapping[str, Remedy] = {
    Kind.DECLINE_CODE: Remedy(
        "Tell the payer that the card was declined, in the same words each time. Write decline_code to the log only: "
        "lost, stolen and fraudulent are for the merchant."
    ),
    Kind.SDK_TEXT: Remedy(
        "Catch what Stripe's library raises, answer with one fixed body, and write the exception to the log.",
        sdks=REFUSE,
        by_channel={
            Channel.STORE: Remedy("Keep the error's code and request id (req_...), not its message."),
            Channel.LOG: Remedy("Log the error's type, code and request id (req_...), not its message."),
            Channel.FILE: Remedy("Keep the error's code and request id (req_...), not its message."),
        },
    ),
    Kind.SQL_ERROR: Remedy(_FIXED, frameworks=NO_DEBUG),
    Kind.STACK_TRACE: Remedy(_FIXED, frameworks=NO_DEBUG),
    Kind.DEBUG_PAGE: Remedy(
        "Deploy with the production settings, in which errors have no page for developers.", frameworks=NO_DEBUG
    ),
    Kind.ENVIRONMENT: Remedy(
        "Deploy with the production settings, and remove what prints variables. Roll each secret that the page shows.",
        frameworks=NO_DEBUG,
    ),
    Kind.FILE_PATH: Remedy(_FIXED, frameworks=NO_DEBUG),
    Kind.INTERNAL_ADDRESS: Remedy(_FIXED, frameworks=NO_DEBUG),
    Kind.SERVER_VERSION: Remedy(
        "Take versions out of headers and error pages, also the proxy's: server_tokens off in nginx, ServerTokens Prod "
        "and ServerSignature Off in Apache.",
        frameworks={
            "django": "serve by gunicorn or uvicorn, not by manage.py runserver.",
            "express": 'app.disable("x-powered-by").',
            "fastapi": "uvicorn --no-server-header.",
            "flask": "serve by gunicorn or waitress, not by app.run() or flask run.",
            "laravel": "expose_php = Off in php.ini.",
            "nextjs": "poweredByHeader: false in next.config.js.",
            "rails": "serve by Puma; with Passenger passenger_show_version_in_header off.",
            "spring": "server.error.include-stacktrace=never hides Tomcat's too (spring.web.error.* from Boot 4).",
        },
    ),
    Kind.ECHO: Remedy(
        "Name in an error what is wrong, and say nothing of the request back: no value, path or header.",
        frameworks={
            "express": "app.use((req, res) => res.status(404).end()) last; its own 404 names the path.",
            "fastapi": "@app.exception_handler(RequestValidationError) without each error's input.",
            "laravel": "APP_DEBUG=false, and messages of validation without :input.",
            "rails": "config.consider_all_requests_local = false, and no params in messages.",
            "spring": "server.error.include-message=never, include-binding-errors=never, include-path=never.",
        },
    ),
    Kind.TEMPLATE_RUN: Remedy(
        "Give input to a template as a value, never as a part of the template's text.",
        frameworks={
            "django": 'render(request, "error.html", {"value": value}), never Template(value).',
            "express": 'res.render("error", {value}), never a text that holds it compiled.',
            "flask": 'render_template("error.html", value=value), never render_template_string.',
            "laravel": "view('error', ['value' => $value]), never Blade::render($value).",
            "net_http": "template.Execute(w, value), never Parse of a text that holds it.",
            "rails": "render :error, locals: {value:}, never render inline: value.",
            "spring": 'model.addAttribute("value", value); never in a view\'s name or in SpEL.',
        },
    ),
}
