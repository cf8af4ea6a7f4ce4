"""Remedies for what becomes of deliveries."""

from collections.abc import Mapping

from payproof.domain.kind import Kind
from payproof.engine.remedies.lines import VERIFY
from payproof.engine.remedies.remedy import Remedy

__all__ = ["DELIVERIES"]

DELIVERIES: Mapping[str, Remedy] = {
    Kind.FORGERY_ACCEPTED: Remedy(
        "Before anything else, verify the Stripe-Signature header by the raw body and the endpoint's secret, and "
        "refuse times over 300 seconds old or ahead.",
        sdks=VERIFY,
    ),
    Kind.FORGERY_APPLIED: Remedy(
        "Verify the signature before the body is parsed, kept or given to a job, and return at once where that fails.",
        sdks=VERIFY,
    ),
    Kind.FORGERY_MISTOLD: Remedy(
        "Answer every refused delivery with 400, or name the status that you answer in rejected of [contract]."
    ),
    Kind.CAUSE_TOLD: Remedy(
        "Answer every refusal with the same status, headers and body, whatever the cause. Write the cause to the log."
    ),
    Kind.REFUSAL_UNRECORDED: Remedy(
        "Write one log line for each refused delivery, where the signature is verified, with cause, time, origin and "
        "result, in the shape of [contract.rejection_record]."
    ),
    Kind.REFUSAL_RECORD_POOR: Remedy(
        "Write cause, time, origin and result into the log line of each refusal, in the fields that "
        "[contract.rejection_record] names."
    ),
    Kind.GENUINE_REFUSED: Remedy(
        "Verify the bytes as they arrived, not parsed and written again, by the secret of this very endpoint.",
        frameworks={
            "django": "request.body, and @csrf_exempt on the view.",
            "express": 'app.post(path, express.raw({type: "application/json"}), handler), before express.json().',
            "fastapi": "await request.body() in the endpoint, without a model of the body.",
            "flask": "request.get_data(), not request.json.",
            "hono": "await c.req.text(), not c.req.json(); on Workers constructEventAsync.",
            "laravel": "$request->getContent(), and validateCsrfTokens(except: [...]) in bootstrap/app.php.",
            "net_http": "io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20)), before any json.Decoder.",
            "nextjs": "await req.text() in route.ts; in pages/api bodyParser: false.",
            "rails": "request.raw_post, and skip_forgery_protection in the controller.",
            "spring": "@RequestBody String payload, and csrf.ignoringRequestMatchers(path).",
        },
        sdks=VERIFY,
    ),
    Kind.GENUINE_FAILED: Remedy(
        "Mend the exception that the log tells of: fields of Stripe's objects may be null or missing. Answer 2xx to "
        "types of events that the handler does not know."
    ),
    Kind.GENUINE_TOO_LARGE: Remedy(
        "Let the webhook read bodies of up to 1 MB, in its framework and in the proxies before it.",
        frameworks={
            "django": "DATA_UPLOAD_MAX_MEMORY_SIZE = 2**20 or more.",
            "express": 'express.raw({type: "application/json", limit: "1mb"}).',
            "flask": 'app.config["MAX_CONTENT_LENGTH"] = 2**20 or more.',
            "net_http": "http.MaxBytesReader(w, r.Body, 1<<20).",
        },
    ),
    Kind.STALE_STATE: Remedy(
        "Keep event.created beside the state, and overwrite it only where the event is newer: UPDATE ... WHERE changed "
        "<= created. Or ask Stripe for the object in place of trusting the event."
    ),
    Kind.EFFECT_LESSENED: Remedy(
        "Compare event.api_version with the version that you were written for, and refuse another with a 4xx: Stripe "
        "repeats and shows it; or read both shapes. Since 2025-03-31 current_period_end is in the subscription's items."
    ),
    Kind.FOREIGN_ROW: Remedy(
        "Look the customer up by its Stripe id, and where there is none do nothing: no first row, no default user, no "
        "match by a value that is empty on both sides."
    ),
    Kind.EFFECT_UNASKED: Remedy(
        "Choose by event.type from a list of those that you handle, and answer 2xx to every other without doing "
        "anything."
    ),
    Kind.OTHER_STATE: Remedy(
        "Take the object's state from the newest event, or ask Stripe for it, each time that one tells of a change: "
        "subscription.status and the end of the period from customer.subscription.*, charge.amount_refunded from "
        "charge.refunded, a dispute's status from charge.dispute.*."
    ),
    Kind.EFFECT_MISSING: Remedy(
        "Apply the event before the answer, or keep it first in a table or queue that survives a restart: after a 2xx "
        "Stripe does not send it again."
    ),
    Kind.APPLIED_TWICE: Remedy(
        "Keep event.id under a unique constraint, insert it in the transaction that applies the event, and where it "
        "is there already answer 2xx and do nothing.",
        frameworks={
            "django": "_, new = Event.objects.get_or_create(id=event.id) in transaction.atomic().",
            "laravel": "insertOrIgnore() in DB::transaction(); 0 rows mean that it was applied.",
            "rails": "insert(..., unique_by: :event_id) in a transaction; no row means that it was applied.",
            "spring": "saveAndFlush() in @Transactional; catch DataIntegrityViolationException outside.",
        },
    ),
    Kind.UNDECIDED: Remedy(
        "Answer 400 to a delivery that cannot be read, and 2xx to one that is taken. Neither a redirect nor any other "
        "status tells Stripe what became of it."
    ),
    Kind.DECISION_CHANGED: Remedy(
        "Decide by the delivery and the secret alone. All instances need the same secrets and code, and one store in "
        "which event ids are kept."
    ),
    Kind.FOREIGN_APPLIED: Remedy(
        "Before an event is applied, compare its livemode with the mode of your own key, and its account and context "
        "with the account whose objects you keep. Answer 2xx to others and do nothing."
    ),
    Kind.GRANTED_WRONGLY: Remedy(
        "Before anything is given, compare what the event says with what you have stored yourself: whose customer it "
        "is, which price, and that it is paid."
    ),
    Kind.NOT_TAKEN_BACK: Remedy(
        "Handle charge.refunded and charge.dispute.*: find the purchase by the payment's id, end what it gave or mark "
        "it for a person, and keep that in a row."
    ),
    Kind.NOT_GRANTED: Remedy(
        "Give what was paid for by the event that tells of the payment, also where that comes later than the end of "
        "the Checkout: checkout.session.async_payment_succeeded."
    ),
    Kind.STARTED_UNSAFE: Remedy(
        "Read secret and key at the start, without a default, and end with an error where one is missing, empty, a "
        "placeholder or of the wrong mode.",
        frameworks={
            "django": "raise ImproperlyConfigured in the settings.",
            "express": "if (!process.env.STRIPE_WEBHOOK_SECRET) process.exit(1), before app.listen().",
            "fastapi": "a field of BaseSettings without a default, with Field(min_length=20).",
            "flask": "raise RuntimeError in create_app().",
            "hono": "if (!process.env.STRIPE_WEBHOOK_SECRET) process.exit(1), before serve().",
            "laravel": "throw in a service provider's boot() where config('services.stripe') lacks it.",
            "net_http": "log.Fatal before http.ListenAndServe.",
            "nextjs": "throw in register() of instrumentation.ts.",
            "rails": "raise in an initializer; ENV.fetch alone takes an empty value.",
            "spring": "@ConfigurationProperties with @Validated and @NotBlank.",
        },
    ),
}
