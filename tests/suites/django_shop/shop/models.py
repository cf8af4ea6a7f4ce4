from django.db import models


class ProcessedEvent(models.Model):
    stripe_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=255)
    received_at = models.DateTimeField(auto_now_add=True)


class Invoice(models.Model):
    stripe_id = models.CharField(max_length=255, unique=True)
    amount = models.BigIntegerField(default=0)
    status = models.CharField(max_length=20, default="open")

    @property
    def total(self):
        return f"{self.amount / 100:.2f}"


class Subscription(models.Model):
    stripe_id = models.CharField(max_length=255, unique=True)
    status = models.CharField(max_length=30)
    changed = models.BigIntegerField(default=0)
