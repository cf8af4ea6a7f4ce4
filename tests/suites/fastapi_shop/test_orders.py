def test_order_is_paid_once(payproof):
    payproof.deliver("checkout.session.completed").accepted().applied()
    payproof.replay().accepted().nothing_changed()


def test_order_of_nobody(payproof):
    payproof.deliver("checkout.session.completed", signature="missing.no_header").rejected().nothing_changed()
