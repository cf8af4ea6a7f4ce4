"""Who calls, and a record of each delivery that is refused."""

import hashlib
import hmac
import logging
from dataclasses import dataclass

from django.conf import settings
from django.http import JsonResponse

log = logging.getLogger("billing")
_WEBHOOK = "djstripe_webhook_by_uuid"


@dataclass(frozen=True)
class Caller:
    """Who has a token."""

    role: str
    tenant: str


def _digest(text):
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


class BearerTokenMiddleware:
    """Lets callers with a token through to the views, and everybody to those that verify by themselves."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.callers = [
            (_digest(f"Bearer {one['token']}"), Caller(one["role"], one["tenant"])) for one in settings.BILLING_CALLERS
        ]

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        """Refuse whoever has no token; dj-stripe marks its webhook as one that needs no login."""
        if not getattr(view, "login_required", True):
            return None
        given = _digest(request.headers.get("Authorization", ""))
        request.caller = next((who for token, who in self.callers if hmac.compare_digest(given, token)), None)
        if request.caller is not None:
            return None
        log.warning(
            "request_refused",
            extra={"fields": {"route": request.resolver_match.route, "origin": request.META["REMOTE_ADDR"]}},
        )
        return JsonResponse({"error": {"code": "unauthenticated"}}, status=401)


class DirectCallersMiddleware:
    """Takes callers for those that the connection is from: there is no proxy, and dj-stripe would believe one."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.META.pop("HTTP_X_FORWARDED_FOR", None)
        return self.get_response(request)


class WebhookAuditMiddleware:
    """Logs each delivery that dj-stripe refuses."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        match = request.resolver_match
        if match and match.url_name == _WEBHOOK and response.status_code == 400:
            fields = {"cause": "signature", "origin": request.META["REMOTE_ADDR"], "result": "rejected"}
            log.warning("webhook_rejected", extra={"fields": fields})
        return response
