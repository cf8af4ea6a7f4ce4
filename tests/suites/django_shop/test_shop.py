import pytest
from shop.models import Invoice


@pytest.mark.django_db
def test_amounts_are_in_the_smallest_unit():
    assert Invoice(stripe_id="in_1", amount=1099).total == "10.99"


def test_paid_invoice_is_booked_once(payproof):
    payproof.deliver("invoice.paid", id="in_mine", amount_paid=4242).accepted().applied()
    assert Invoice.objects.get(stripe_id="in_mine").total == "42.42"
    payproof.replay().accepted().nothing_changed()


def test_forged_invoice_is_not_booked(payproof):
    payproof.deliver("invoice.paid", id="in_forged", signature="wrong_secret.random").rejected().nothing_changed()
    assert not Invoice.objects.filter(stripe_id="in_forged").exists()
