from django.db import models


class Event(models.Model):
    id = models.CharField(primary_key=True, max_length=255)


class Subscription(models.Model):
    id = models.CharField(primary_key=True, max_length=255)
    customer = models.CharField(max_length=255)
    status = models.CharField(max_length=32)
    changed = models.BigIntegerField()


class Account(models.Model):
    customer = models.CharField(primary_key=True, max_length=255)
    paid = models.BigIntegerField(default=0)


class Charge(models.Model):
    id = models.CharField(primary_key=True, max_length=255)
    customer = models.CharField(max_length=255)
    amount = models.BigIntegerField()
    card = models.JSONField(null=True)
