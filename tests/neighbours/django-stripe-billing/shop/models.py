from django.contrib.auth.models import User
from django.db import models


class UserProfile(models.Model):
    """What the README's receivers look a customer up in."""

    user = models.OneToOneField(User, on_delete=models.CASCADE)
    stripe_customer_id = models.CharField(max_length=255, unique=True)
    plan = models.CharField(max_length=50, default="free")
    payment_failed_attempts = models.PositiveSmallIntegerField(default=0)

    def __str__(self):
        return f"{self.user}: {self.plan}"
