from typing import ClassVar

from payproof.domain.finding import Confidence
from payproof.forms import Form, FormDetector, Forms
from payproof.registry import detector

__all__ = ["StripeError"]

_KEY = rb"[\"']?\s?(?::|=>?)"
_OBJECT = (
    rb"(?:customer|charge|coupon|event|invoice|invoiceitem|payment_?intent|payment_?method|plan|price|"
    rb"product|refund|setup_?intent|source|subscription|token)"
)


@detector
class StripeError(FormDetector):
    """Errors of Stripe passed on, which tell thieves which card works: fields, texts, the SDKs' exceptions."""

    name: ClassVar[str] = "stripe_error"
    by_error: ClassVar[bool] = True
    positive: ClassVar[tuple[bytes, ...]] = (
        b'{"error":{"code":"card_declined","decline_code":"stolen_card","message":"Your card was declined."}}',
        b"{'network_decline_code': '05', 'advice_code': 'do_not_try_again'}",
        b"decline_code: insufficient_funds",
        b'{"doc_url":"https:\\/\\/stripe.com\\/docs\\/error-codes\\/resource-missing"}',
        b'"request_log_url": "https://dashboard.stripe.com/test/logs/x"',
        b"Request req_a1B2c3D4e5F6g7: no",
        b"No such customer: &#39;cus_x&#39;",
        b"No such PaymentMethod: 'pm_x'; a similar object exists in live mode",
        b"Invalid API Key provided: sk_test_****",
        b'{"type":"StripeInvalidRequestError"}',
        b"stripe._error.SignatureVerificationError",
        b"Webhook Error: No signatures found matching the expected signature for payload.",
        b"Unable to extract timestamp and signatures from header",
        b"Keys for idempotent requests can only be used with the same parameters",
        b'{"error":{"code":"card_declined","payment_intent":{"id":"pi_1"}}}',
        b'{"error": {"message": "no", "payment_method": {"id": "pm_1"}}}',
        b"You did not provide an API key. You need to provide your API key in the Authorization header",
        b"Timestamp outside the tolerance zone (1700000000)",
        b"Stripe::CardError",
        b"Stripe\\Exception\\CardException",
        b"com.stripe.exception.CardException",
        b"Stripe.StripeException",
    )
    negative: ClassVar[tuple[bytes, ...]] = (
        b'{"error":{"code":"payment_failed","message":"The payment did not go through.","reference":"8f14e45f"}}',
        b'{"id":"sub_1","latest_invoice":{"payment_intent":{"id":"pi_1","status":"succeeded"}}}',
        b'{"type":"about:blank","title":"Unauthorized","status":401,"trace_id":"req-8f14e45f"}',
        b"The signature could not be verified. No such page.",
        b"doc_url request_id required_",
    )
    forms: ClassVar[Forms] = Forms(
        Form(
            "field of a Stripe error",
            rb"\b(?:(?:network_)?(?:decline|advice)_code|request_log_url)" + _KEY,
            needs=(b"decline_code", b"advice_code", b"request_log_url"),
        ),
        Form(
            "field of a Stripe error",
            rb"\bdoc_url" + _KEY + rb"\s?[\"']https://(?:docs\.)?stripe\.com",
            needs=(b"doc_url",),
        ),
        Form("address of Stripe's documentation", rb"https?://(?:docs\.)?stripe\.com/(?:docs/)?error-codes"),
        Form("address of Stripe's dashboard", rb"https?://dashboard\.stripe\.com/", Confidence.MEDIUM),
        Form("id of a request to Stripe", rb"\breq_[A-Za-z0-9]{14}(?!\w)", Confidence.MEDIUM, needs=(b"req_",)),
        Form("text of a Stripe error", rb"No such (?i:" + _OBJECT + rb"): ?'?\w"),
        Form("text of a Stripe error", rb"a similar object exists in (?:live|test) mode"),
        Form(
            "text of a Stripe error",
            rb"(?:Invalid|Expired) API Key provided|You did not provide an API key\.",
            needs=(b"API Key provided", b"API key"),
        ),
        Form("text of a Stripe error", rb"Keys for idempotent requests can only be used"),
        Form(
            "text of a Stripe error", rb"No signatures found (?:matching the expected signature|with expected scheme)"
        ),
        Form(
            "text of a Stripe error",
            rb"Unable to extract timestamp and signatures|Timestamp outside the tolerance zone",
            needs=(b"Unable to extract ", b"tolerance zone"),
        ),
        Form(
            "exception of a Stripe library",
            rb"\bStripe(?:API|Authentication|Card|Connection|Idempotency|InvalidRequest|Permission|"
            rb"RateLimit|SignatureVerification)\w{0,20}Error",
            needs=(b"Stripe",),
        ),
        Form(
            "exception of a Stripe library",
            rb"\bstripe\.(?:_error|error)\.\w+|\bStripe::\w+Error|Stripe\\Exception\\\w+",
            needs=(b"stripe.", b"Stripe::", b"Stripe\\Exception"),
        ),
        Form(
            "exception of a Stripe library",
            rb"com\.stripe\.exception\.\w+|\bStripe\.StripeException\b",
            needs=(b"stripe.exception", b"StripeException"),
        ),
        Form(
            "object in a Stripe error",
            rb"[\"']error[\"']\s?:\s?\{[^\[\]]{0,2000}?[\"'](?:payment_intent|payment_method|"
            rb"setup_intent)[\"']\s?:\s?\{",
            needs=(b"payment_intent", b"payment_method", b"setup_intent"),
        ),
    )
