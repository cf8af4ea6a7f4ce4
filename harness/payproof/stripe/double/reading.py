"""What is only read: objects that events have told of, and lists that belong to another object."""

from collections.abc import Callable, Iterator

from payproof.stripe.double.calls import Call, list_page, operation
from payproof.stripe.double.errors import missing
from payproof.stripe.double.lifecycle import ENDED
from payproof.stripe.double.relations import SOURCES, Object, find_of_customer, sublist
from payproof.stripe.double.store import ObjectStore

__all__ = ["own_account"]

#: By kind: where objects are read.
_READ = {
    "account": "/v1/accounts",
    "balance_transaction": "/v1/balance_transactions",
    "credit_note": "/v1/credit_notes",
    "payout": "/v1/payouts",
    "radar.early_fraud_warning": "/v1/radar/early_fraud_warnings",
    "subscription_schedule": "/v1/subscription_schedules",
}


def _register(kind: str, path: str) -> None:
    @operation(f"GET {path}")
    def list_objects(call: Call) -> Object:
        return list_page(call, call.store.all(kind), path)

    @operation(f"GET {path}/{{}}")
    def retrieve(call: Call) -> Object:
        if kind == "account":
            own_account(call.store)
        return call.store.living(kind, call.id)


for _kind, _path in _READ.items():
    _register(_kind, _path)


def own_account(store: ObjectStore) -> Object:
    """Return the account that the calls are made for."""
    found = store.find("account", store.account)
    if found is None:
        accounts = sublist(f"/v1/accounts/{store.account}/external_accounts", [])
        found = store.make("account", {"id": store.account, "external_accounts": accounts})
    return found


@operation("GET /v1/account")
def retrieve_account(call: Call) -> Object:
    """Fetch the account itself."""
    return own_account(call.store)


@operation("GET /v1/tax_rates")
def list_tax_rates(call: Call) -> Object:
    """List tax rates, of which there is none."""
    return list_page(call, (), "/v1/tax_rates")


@operation("GET /v1/tax_ids")
def list_tax_ids(call: Call) -> Object:
    """List the tax ids of an owner: of a customer that is named, else of the account, which has none."""
    wanted = call.params.get("owner", {}).get("customer")
    return list_page(call, () if wanted is None else find_of_customer(call.store, wanted, "tax_id"), "/v1/tax_ids")


@operation("GET /v1/tax_ids/{}")
def retrieve_tax_id(call: Call) -> Object:
    """Fetch a tax id of whichever customer."""
    return call.store.living("tax_id", call.id)


@operation("GET /v1/products/{}/features")
def list_product_features(call: Call) -> Object:
    """List the features of a product, of which there is none."""
    call.store.living("product", call.id)
    return list_page(call, (), f"/v1/products/{call.id}/features")


@operation("GET /v1/balance")
def retrieve_balance(call: Call) -> Object:
    """Fetch the balance, which is empty: the double pays nothing out."""
    return dict(call.store.shapes.newest("balance")) | {"livemode": False}


def _register_owned(path: str, owner: str, find: Callable[[Call], Iterator[Object]]) -> None:
    """Register the list of what an owner has, and its members."""

    @operation(f"GET {path}")
    def list_owned(call: Call) -> Object:
        call.store.living(owner, call.owner, owner)
        return list_page(call, find(call), path.replace("{}", call.owner))

    @operation(f"GET {path}/{{}}")
    def retrieve_owned(call: Call) -> Object:
        call.store.living(owner, call.owner, owner)
        found = next((one for one in find(call) if one["id"] == call.id), None)
        if found is None:
            raise missing(path.rpartition("/")[2].rstrip("s"), call.id, "id", status=404)
        return found


def _find_subscriptions(call: Call) -> Iterator[Object]:
    mine = (one for one in call.store.all("subscription") if one["customer"] == call.owner)
    return (one for one in mine if call.id != call.owner or one["status"] not in ENDED)


def _find_sources(call: Call) -> Iterator[Object]:
    wanted = call.params.get("object")
    return find_of_customer(call.store, call.owner, *(SOURCES if wanted is None else (wanted,)))


def _find_accounts(call: Call) -> Iterator[Object]:
    return (one for one in call.store.all("bank_account") if one.get("account") == call.owner)


for _path, _owner, _find in (
    ("/v1/accounts/{}/external_accounts", "account", _find_accounts),
    (
        "/v1/charges/{}/refunds",
        "charge",
        lambda call: (one for one in call.store.all("refund") if one["charge"] == call.owner),
    ),
    ("/v1/customers/{}/sources", "customer", _find_sources),
    ("/v1/customers/{}/subscriptions", "customer", _find_subscriptions),
    (
        "/v1/customers/{}/tax_ids",
        "customer",
        lambda call: find_of_customer(call.store, call.owner, "tax_id"),
    ),
):
    _register_owned(_path, _owner, _find)


@operation("GET /v1/customers/{}/payment_methods/{}")
def retrieve_customer_method(call: Call) -> Object:
    """Fetch a PaymentMethod of a customer."""
    call.store.living("customer", call.owner, "customer")
    method = call.store.living("payment_method", call.id)
    if method["customer"] != call.owner:
        raise missing("PaymentMethod", call.id, "payment_method", status=404)
    return method
