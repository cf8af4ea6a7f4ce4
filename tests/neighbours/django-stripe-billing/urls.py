from django.urls import include, path

urlpatterns = [path("webhooks/", include("django_stripe_billing.urls"))]
