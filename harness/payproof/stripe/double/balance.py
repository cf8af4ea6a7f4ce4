"""What moves the balance: each charge that is captured and each refund names a transaction, which can be read."""

from payproof.stripe.double.relations import Object
from payproof.stripe.double.settled import adjust_transaction
from payproof.stripe.double.store import ObjectStore

__all__ = ["book"]


def book(store: ObjectStore, moved: Object, amount: int) -> Object:
    """Make the balance transaction of an amount of a charge or refund, and return the object, which names it."""
    transaction = store.make("balance_transaction")
    adjust_transaction(transaction, moved | {"amount": amount})
    return store.change(moved["object"], moved["id"], {"balance_transaction": transaction["id"]})[0]
