from django.urls import path

from shop.views import stripe_webhook

urlpatterns = [path("stripe/webhook/", stripe_webhook)]
