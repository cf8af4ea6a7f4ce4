"""Lines of frameworks and SDKs that several remedies give."""

from collections.abc import Mapping

__all__ = ["FILTERS", "KEYS", "NO_DEBUG", "REFUSE", "RETRIES", "VERIFY"]

#: The call that verifies a delivery.
VERIFY: Mapping[str, str] = {
    "dotnet": "EventUtility.ConstructEvent(json, header, secret).",
    "go": "webhook.ConstructEvent(payload, header, secret).",
    "java": "Webhook.constructEvent(payload, header, secret).",
    "node": "stripe.webhooks.constructEvent(body, header, secret).",
    "php": "\\Stripe\\Webhook::constructEvent($payload, $header, $secret).",
    "python": "stripe.Webhook.construct_event(payload, header, secret).",
    "ruby": "Stripe::Webhook.construct_event(payload, header, secret).",
}

#: What that call raises, so that it is answered like any other refusal.
REFUSE: Mapping[str, str] = {
    "dotnet": "catch (StripeException) around ConstructEvent, and answer 400.",
    "go": "if err != nil after ConstructEvent, answer 400 without err.Error().",
    "java": "catch SignatureVerificationException and JsonSyntaxException, and refuse a null header.",
    "node": "try { constructEvent(...) } catch { answer 400 }, without err.message.",
    "php": "catch \\UnexpectedValueException and \\Stripe\\Exception\\SignatureVerificationException.",
    "python": "except (ValueError, stripe.SignatureVerificationError), and answer 400.",
    "ruby": "rescue JSON::ParserError, Stripe::SignatureVerificationError, and answer 400.",
}

#: What turns the pages and traces for developers off.
NO_DEBUG: Mapping[str, str] = {
    "django": "DEBUG = False in the settings that are deployed.",
    "express": "NODE_ENV=production, and an error handler (err, req, res, next) after all routes.",
    "fastapi": "FastAPI(debug=False), and @app.exception_handler(Exception) with a fixed body.",
    "flask": "app.debug = False: no debug=True in app.run(), no --debug, no FLASK_DEBUG.",
    "hono": 'app.onError((err, c) => c.text("error", 500)), without err.message.',
    "laravel": "APP_DEBUG=false and APP_ENV=production, then php artisan config:cache.",
    "net_http": 'http.Error(w, "error", 500), never err.Error() or debug.Stack().',
    "nextjs": "next build, then next start; not next dev.",
    "rails": "config.consider_all_requests_local = false.",
    "spring": "server.error.include-stacktrace=never and include-message=never (spring.web.error.* from Boot 4).",
}

#: What keeps values out of a log, whoever writes them.
FILTERS: Mapping[str, str] = {
    "django": "a logging.Filter in LOGGING, on each handler; or a processor of structlog.",
    "express": 'pino({redact: ["*.email", "*.name", "req.body", "req.headers[\'stripe-signature\']"]}).',
    "fastapi": "a logging.Filter on each handler, uvicorn's too; or a processor of structlog.",
    "flask": "handler.addFilter() on each handler of app.logger; or a processor of structlog.",
    "hono": 'pino({redact: ["*.email", "*.name", "body"]}), in place of hono/logger.',
    "laravel": "a Monolog processor by tap in config/logging.php.",
    "net_http": "slog.HandlerOptions{ReplaceAttr: ...}, and never %v of an event.",
    "nextjs": 'pino({redact: ["*.email", "*.name", "body"]}), in place of console.log.',
    "rails": "config.filter_parameters += [:email, :name, :data], and no logger.info of an event.",
    "spring": "log event.getId(), not event; %replace(%msg) in logback's pattern.",
}

#: How a call gets its Idempotency-Key.
KEYS: Mapping[str, str] = {
    "dotnet": "new RequestOptions { IdempotencyKey = key }.",
    "go": "params.SetIdempotencyKey(key).",
    "java": "RequestOptions.builder().setIdempotencyKey(key).build().",
    "node": "stripe.subscriptions.create(params, {idempotencyKey: key}).",
    "php": "$stripe->subscriptions->create($params, ['idempotency_key' => $key]).",
    "python": 'client.v1.subscriptions.create(params, {"idempotency_key": key}).',
    "ruby": "client.v1.subscriptions.create(params, {idempotency_key: key}).",
}

#: How often an SDK repeats a call by itself.
RETRIES: Mapping[str, str] = {
    "dotnet": "new SystemNetHttpClient(maxNetworkRetries: 2).",
    "go": "stripe.BackendConfig{MaxNetworkRetries: stripe.Int64(2)}.",
    "java": "StripeClient.builder().setMaxNetworkRetries(2).",
    "node": "new Stripe(key, {maxNetworkRetries: 2}).",
    "php": "\\Stripe\\Stripe::setMaxNetworkRetries(2).",
    "python": "stripe.StripeClient(key, max_network_retries=2).",
    "ruby": "Stripe.max_network_retries = 2.",
}
