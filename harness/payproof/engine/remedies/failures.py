"""Remedies for what a target does when something fails."""

from collections.abc import Mapping

from payproof.domain.kind import Kind
from payproof.engine.remedies.lines import REFUSE
from payproof.engine.remedies.remedy import Remedy

__all__ = ["FAILURES"]

FAILURES: Mapping[str, Remedy] = {
    Kind.CRASH: Remedy(
        "Find the cause in the last lines of the log, and catch it in the handler: limit the size and the depth of "
        "bodies, and let no failure behind the answer end the process.",
        frameworks={
            "express": "await all promises of a handler: an unhandled rejection ends Node.",
            "hono": "await all promises of a handler: an unhandled rejection ends Node.",
            "net_http": "recover() in each goroutine of your own; net/http recovers in its own only.",
            "nextjs": "await all promises of a handler, or give them to after().",
        },
    ),
    Kind.SERVER_ERROR: Remedy(
        "Mend the exception that the log tells of: check input before it is used, and answer what cannot be read "
        "with 400.",
        frameworks={
            "django": 'request.headers.get("Stripe-Signature", ""); META[...] raises KeyError.',
            "spring": '@RequestHeader("Stripe-Signature"): without it Spring answers 400.',
        },
        sdks=REFUSE,
    ),
    Kind.SLOW: Remedy(
        "Answer once the event is kept, and do the work in a job. Give calls to the database and to Stripe time "
        "limits, repetitions included.",
        frameworks={
            "django": "transaction.on_commit(lambda: task.delay(event.id)) with Celery.",
            "fastapi": "call what blocks in a def endpoint or by run_in_threadpool, not in async def.",
            "flask": "task.delay(event.id) with Celery or RQ.",
            "laravel": "a job with ShouldQueue, dispatch($event->id)->afterCommit().",
            "rails": "ApplyEventJob.perform_later(event.id), once the transaction is through.",
        },
    ),
    Kind.CUT_OFF: Remedy(
        "Find out in the log who closed the connection: a worker that was ended at its time limit, a proxy's shorter "
        "limit, or a request that ended the process.",
        frameworks={
            "django": "gunicorn ends a worker after --timeout, 30 seconds.",
            "flask": "gunicorn ends a worker after --timeout, 30 seconds.",
        },
    ),
    Kind.MEMORY: Remedy(
        "Stop reading a body at 1 MB, counted while it is read and after decompression, and answer 413. A webhook "
        "of Stripe's is far smaller.",
        frameworks={
            "django": "DATA_UPLOAD_MAX_MEMORY_SIZE, which request.body keeps; DRF's request.data does not.",
            "express": 'express.raw({type: "application/json", limit: "1mb"}), and the same limit in express.json().',
            "fastapi": "count in async for chunk in request.stream(); it has no limit of its own.",
            "flask": 'app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024.',
            "hono": "app.use(bodyLimit({maxSize: 1024 * 1024})) of hono/body-limit.",
            "laravel": "post_max_size = 1M in php.ini, and client_max_body_size 1m in nginx.",
            "net_http": "http.MaxBytesReader(w, r.Body, 1<<20).",
            "nextjs": "count the chunks of req.body; a route handler has no limit of its own.",
            "rails": "http_content_length_limit 1048576 in config/puma.rb.",
            "spring": "getInputStream().readNBytes(limit + 1); Tomcat limits forms only.",
        },
    ),
    Kind.FAILURE_MISTOLD: Remedy(
        "Catch each sort of failure and answer with its own status, in general words: a decline 402, Stripe or the "
        "database out of reach 503, or as [contract] says.",
        sdks={
            "dotnet": "StripeException, by its StripeError.Type and HttpStatusCode.",
            "go": "errors.As(err, &stripeErr), by stripeErr.Type; any other is no answer.",
            "java": "CardException, ApiConnectionException, AuthenticationException.",
            "node": "err.type StripeCardError, StripeConnectionError, StripeAuthenticationError.",
            "php": "CardException, ApiConnectionException, AuthenticationException of \\Stripe\\Exception.",
            "python": "stripe.CardError, stripe.APIConnectionError, stripe.AuthenticationError.",
            "ruby": "Stripe::CardError, Stripe::APIConnectionError, Stripe::AuthenticationError.",
        },
    ),
    Kind.LOST_AFTER_FAILURE: Remedy(
        "Promise only what is kept: commit the work with the answer's row, and let a job repeat it until it is done. "
        "Where nothing can be kept answer 503, so that Stripe sends it again."
    ),
    Kind.REFERENCE_MISSING: Remedy(
        "Make up a reference for each request, and put it into the error's answer and into the log line.",
        frameworks={
            "django": "a middleware that binds it by structlog.contextvars.",
            "express": "crypto.randomUUID() in a middleware, and logger.child({reference}).",
            "fastapi": "a middleware that sets a contextvar, and a logging.Filter that reads it.",
            "flask": "g.reference in @app.before_request, and a logging.Filter that reads it.",
            "hono": "app.use(requestId()) of hono/request-id, then c.get('requestId').",
            "laravel": "Log::withContext(['reference' => ...]) in a middleware.",
            "net_http": 'slog.With("reference", id) in the request\'s context.',
            "nextjs": "crypto.randomUUID() in the handler's catch, logged and answered.",
            "rails": "request.request_id, with config.log_tags = [:request_id].",
            "spring": 'MDC.put("reference", id) in a filter, and %X{reference} in the pattern.',
        },
    ),
}
