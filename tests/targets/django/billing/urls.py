from django.urls import path

from billing import views

urlpatterns = [
    path("customers", views.create_customer),
    path("subscriptions", views.subscribe),
    path("subscriptions/<str:subscription>", views.show_subscription),
    path("subscriptions/<str:subscription>/cancel", views.cancel),
    path("payments", views.pay),
    path("refunds", views.refund),
]
