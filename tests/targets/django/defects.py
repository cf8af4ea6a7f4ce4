"""The planted faults: each replaces a part of the service; expected.toml says what must catch it.

`shop/wsgi.py` plants one once Django is set up, and before the first request.
"""

import contextlib
import json
import logging
from traceback import format_exc
from types import SimpleNamespace

import stripe
from billing import gateway, receivers, requests, views
from billing import urls as billing_urls
from django.conf import settings
from django.core.exceptions import BadRequest
from django.db.models.signals import post_init, post_save, pre_save
from django.http import HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from djstripe import signals
from djstripe.models import Event, WebhookEndpoint, WebhookEventTrigger, core, webhooks
from djstripe.views import ProcessWebhookView
from shop import urls as shop_urls
from shop.json_log import JsonFormatter

_log = logging.getLogger("billing")


def debug_left_on():
    """DEBUG is on, as on the laptop: Django shows pages for developers, dj-stripe takes a secret from a header."""
    settings.DEBUG = True


def validation_method_none():
    """The endpoint is one whose deliveries dj-stripe does not verify, as somebody set it to see what is wrong."""
    _set_on_endpoint(djstripe_validation_method="none")


def tolerance_in_milliseconds():
    """The tolerance is in milliseconds, as dj-stripe's help text has it; it hands the number on as seconds."""
    _set_on_endpoint(djstripe_tolerance=30_000)


def tolerance_of_zero():
    """The tolerance is 0, which stripe-python takes for "any age", not for "none"."""
    _set_on_endpoint(djstripe_tolerance=0)


def form_view_unverified():
    """The webhook of before dj-stripe is still there: exempt from CSRF, it takes what a form or a body says."""

    def webhook(request):
        try:
            told = json.loads(request.POST.get("payload") or request.body)["data"]["object"]
            receivers.Access.objects.update_or_create(
                subscription=told["id"], defaults={"customer": told["customer"], "status": told["status"]}
            )
        except (ValueError, KeyError, TypeError):
            raise BadRequest from None
        return HttpResponse()

    webhook.login_required = False
    shop_urls.urlpatterns.append(path("webhooks/stripe", csrf_exempt(webhook)))


def failure_acknowledged():
    """Whatever fails is logged and answered with 200, "lest Stripe disable the endpoint"."""
    post = ProcessWebhookView.post

    def lenient(view, request, uuid):
        try:
            return post(view, request, uuid)
        except Exception:  # noqa: BLE001 - it is the fault
            _log.exception("webhook_failed")
            return HttpResponse()

    ProcessWebhookView.post = lenient


def handlers_outside_transaction():
    """The event's row is committed before its receivers run: if one fails, the retry finds the event handled."""
    webhooks.transaction = core.transaction = SimpleNamespace(atomic=contextlib.nullcontext)


def status_from_event():
    """The status is the one that the event tells, which may be older than the one that is known."""
    receivers.find_status = lambda event: event.data["object"]["status"]


def delivery_kept():
    """The rows of deliveries keep body and headers, as dj-stripe writes them."""
    assert pre_save.disconnect(receivers.forget, sender=WebhookEventTrigger)
    assert post_save.disconnect(receivers.remember, sender=WebhookEventTrigger)


def event_kept():
    """The rows of events keep what they told, as dj-stripe writes them."""
    assert pre_save.disconnect(receivers.forget, sender=Event)
    assert post_save.disconnect(receivers.remember, sender=Event)


def delivery_logged():
    """The log gets the whole event, "for debugging"."""

    def note(instance, **kwargs):
        _log.info("webhook_body", extra={"fields": {"body": instance.json_body}})

    signals.webhook_pre_process.connect(note, weak=False)


def library_messages_logged():
    """The log gets what libraries say: Django the path, dj-stripe an event without an id."""
    format_record = JsonFormatter.format
    JsonFormatter.format = lambda self, record: json.dumps(
        json.loads(format_record(self, record)) | {"message": record.getMessage()}
    )


def stripe_error_logged():
    """The log gets Stripe's error as it is, with message, parameters and headers."""
    gateway.describe = lambda error: {"error": repr(error), "body": getattr(error, "json_body", None)}


def stripe_message_passed_on():
    """The caller gets Stripe's own text."""
    tell = gateway.tell

    def tell_message(error):
        status, answer = tell(error)
        return status, {**answer, "message": str(error)}

    gateway.tell = tell_message


def decline_code_passed_on():
    """Whoever tries out stolen cards is told which of them are reported."""
    tell = gateway.tell

    def tell_code(error):
        status, answer = tell(error)
        code = getattr(getattr(error, "error", None), "decline_code", None)
        return status, {**answer, "reason": code} if code else answer

    gateway.tell = tell_code


def decline_as_outage():
    """A broad `except` takes any error for an outage, a declined card too."""
    gateway.tell = lambda error: (503, {"code": "payments_unavailable"})


def retried_without_key():
    """A loop of its own around the SDK, whose every call has a key of its own."""
    ask = gateway.ask
    gateway.RETRIES = 0

    def repeat(call):
        for _ in range(2):
            with contextlib.suppress(stripe.APIConnectionError, stripe.APIError):
                return ask(call)
        return ask(call)

    gateway.ask = repeat


def timeout_missing():
    """The SDK's own timeout, 80 s."""
    gateway.http_client = stripe.RequestsClient


def certificate_not_verified():
    """Whoever answers in Stripe's place is believed, "until the proxy's certificate is sorted out"."""
    gateway.http_client = lambda: stripe.RequestsClient(timeout=gateway.TIMEOUT, verify_ssl_certs=False)


def amount_made_positive():
    """What Stripe would refuse is made to fit: whoever asks to pay -500 pays 500."""
    take = requests.take

    def fit(fields, required, optional=()):
        if "amount" in required:
            with contextlib.suppress(TypeError, ValueError, OverflowError):
                fields = {**fields, "amount": max(1, min(1_000_000, abs(int(fields.get("amount") or 500))))}
        return take(fields, required, optional)

    requests.take = fit


def body_passed_on():
    """The customer is created with whatever the request says of it."""

    def create_customer(request):
        fields = requests.read_fields(request)
        return lambda client, options: client.v1.customers.create(fields, options)

    billing_urls.urlpatterns[0] = path("customers", views.operation(create_customer))


def ownership_not_checked():
    """`get_object_or_404` asks for the id alone: whoever knows one may use it."""
    views.get_own = lambda request, identifier: views.get_object_or_404(views.Holding, stripe_id=identifier)


def role_not_checked():
    """Whoever has a token may do everything."""
    views.may_operate = lambda request: True


def role_from_header():
    """The role is what the request says it is."""
    may_operate = views.may_operate
    views.may_operate = lambda request: request.headers.get("X-Role") == "admin" or may_operate(request)


def error_shown():
    """The answer to what nobody caught names the error and its message."""
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "defects.ShowErrorMiddleware"]


class ShowErrorMiddleware:
    """Answers with the error."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        """Say what happened, for the caller's convenience."""
        return JsonResponse({"error": repr(exception), "trace": format_exc()}, status=500)


def _set_on_endpoint(**values):
    def change(instance, **kwargs):
        vars(instance).update(values)

    post_init.connect(change, sender=WebhookEndpoint, weak=False)
