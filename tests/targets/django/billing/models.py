from django.db import models


class Holding(models.Model):
    """An object at Stripe that was made for a tenant."""

    stripe_id = models.CharField(max_length=255, primary_key=True)
    operation = models.CharField(max_length=40)
    tenant = models.CharField(max_length=40)

    def __str__(self):
        return self.stripe_id


class Access(models.Model):
    """What a subscription gives: its status, as Stripe has it."""

    subscription = models.CharField(max_length=255, primary_key=True)
    customer = models.CharField(max_length=255)
    status = models.CharField(max_length=40)

    def __str__(self):
        return f"{self.subscription}: {self.status}"
