"""The routes: dj-stripe's webhook, and the operations."""

from django.urls import include, path

urlpatterns = [
    path("stripe/", include("djstripe.urls", namespace="djstripe")),
    path("", include("billing.urls")),
]
handler400 = "billing.views.bad_request"
handler404 = "billing.views.not_found"
handler500 = "billing.views.server_error"
