"""Products and prices."""

from collections.abc import Mapping
from typing import Any

from payproof.stripe.double.calls import Call, list_page, operation, take_params
from payproof.stripe.double.errors import invalid
from payproof.stripe.double.relations import Object
from payproof.stripe.double.store import ObjectStore

__all__ = ["made_price", "price_of"]

_PRODUCT = ("active", "description", "name", "statement_descriptor", "tax_code", "unit_label", "url")
_PRICE = ("active", "billing_scheme", "lookup_key", "nickname", "tax_behavior")


@operation("POST /v1/products")
def create_product(call: Call) -> Object:
    """Create a product, and its first price where ``default_price_data`` describes one."""
    store, params = call.store, call.params
    if (wanted := params.get("id")) and store.find("product", wanted):
        raise invalid(f"Product already exists: {wanted}", code="resource_already_exists", param="id")
    values = {"name": params["name"], **take_params(params, _PRODUCT, {}), "updated": store.now()}
    product = store.make("product", values | ({"id": wanted} if wanted else {}))
    store.emit("product.created", product)
    if data := params.get("default_price_data"):
        price = made_price(store, product["id"], data)
        product, _ = store.change("product", product["id"], {"default_price": price["id"]})
    return product


@operation("GET /v1/products")
def list_products(call: Call) -> Object:
    """List products."""
    active = call.params.get("active")
    return list_page(
        call, (p for p in call.store.all("product") if active is None or p["active"] == active), "/v1/products"
    )


@operation("GET /v1/products/{}")
def retrieve_product(call: Call) -> Object:
    """Fetch a product."""
    return call.store.living("product", call.id)


@operation("POST /v1/products/{}")
def update_product(call: Call) -> Object:
    """Change a product."""
    store = call.store
    before = store.living("product", call.id)
    changes = take_params(call.params, (*_PRODUCT, "default_price"), before) | {"updated": store.now()}
    if price := changes.get("default_price"):
        store.require("price", price, "default_price")
    after, before = store.change("product", call.id, changes)
    store.emit("product.updated", after, before)
    return after


@operation("DELETE /v1/products/{}")
def delete_product(call: Call) -> Object:
    """Delete a product that has no price."""
    store = call.store
    store.living("product", call.id)
    if any(price["product"] == call.id for price in store.all("price")):
        raise invalid("This product cannot be deleted because it has one or more user-created prices.")
    store.emit("product.deleted", store.remove("product", call.id))
    return {"id": call.id, "object": "product", "deleted": True}


@operation("POST /v1/prices")
def create_price(call: Call) -> Object:
    """Create a price of a product that there is, or of one that ``product_data`` describes."""
    store, params = call.store, call.params
    product = params.get("product")
    if (product is None) == ("product_data" not in params):
        raise invalid("You must specify either `product` or `product_data` when creating a price.", began=False)
    if product is None:
        data = params["product_data"]
        product = store.make("product", {"name": data["name"], "updated": store.now()})["id"]
    return made_price(store, store.require("product", product, "product")["id"], params)


def made_price(store: ObjectStore, product_id: str, data: Mapping[str, Any]) -> Object:
    """Make a price of a product; an ``id`` is no parameter of the API's, and comes from a hook only.

    Raises:
        ApiError: no amount, or several.
    """
    amount, exact = data.get("unit_amount"), data.get("unit_amount_decimal")
    if data.get("custom_unit_amount") is None and (amount is None) == (exact is None) and "tiers" not in data:
        raise invalid("You must specify either `unit_amount` or `unit_amount_decimal`.", began=False)
    if amount is None and exact is not None and float(exact).is_integer():
        amount = int(float(exact))
    recurring = data.get("recurring")
    price = store.make(
        "price",
        {
            "currency": data["currency"].lower(),
            "nickname": None,
            "product": product_id,
            "recurring": None
            if recurring is None
            else {
                "interval": recurring["interval"],
                "interval_count": recurring.get("interval_count", 1),
                "meter": recurring.get("meter"),
                "usage_type": recurring.get("usage_type", "licensed"),
            },
            "tax_behavior": "unspecified",
            "type": "recurring" if recurring else "one_time",
            "unit_amount": amount,
            "unit_amount_decimal": str(amount if exact is None else exact),
        }
        | take_params(data, _PRICE, {})
        | ({"id": data["id"]} if "id" in data else {}),
    )
    store.emit("price.created", price)
    return price


@operation("GET /v1/prices")
def list_prices(call: Call) -> Object:
    """List prices."""
    params = call.params
    keys = params.get("lookup_keys")
    return list_page(
        call,
        (
            price
            for price in call.store.all("price")
            if all(price[name] == params[name] for name in ("active", "currency", "product", "type") if name in params)
            and (keys is None or price["lookup_key"] in keys)
        ),
        "/v1/prices",
    )


@operation("GET /v1/prices/{}")
def retrieve_price(call: Call) -> Object:
    """Fetch a price."""
    return call.store.living("price", call.id)


@operation("POST /v1/prices/{}")
def update_price(call: Call) -> Object:
    """Change what of a price may change."""
    before = call.store.living("price", call.id)
    after, before = call.store.change("price", call.id, take_params(call.params, _PRICE, before))
    call.store.emit("price.updated", after, before)
    return after


def price_of(store: ObjectStore, given: Mapping[str, Any], param: str, *, recurring: bool | None = None) -> Object:
    """Return the price that an item names by ``price``, or that its ``price_data`` describes.

    Raises:
        ApiError: there is none, it is not active, or it is (not) recurring as asked for.
    """
    if (name := given.get("price")) is not None:
        price = store.require("price", name, f"{param}[price]")
    elif (data := given.get("price_data")) is not None:
        described = data.get("product_data")
        if described is not None:
            product = store.make("product", {"name": described["name"], "updated": store.now()})["id"]
        elif "product" in data:
            product = store.require("product", data["product"], f"{param}[price_data][product]")["id"]
        else:
            raise invalid(f"Missing required param: {param}[price_data][product].", code="parameter_missing")
        price = made_price(store, product, data)
    else:
        raise invalid(f"Missing required param: {param}[price].", code="parameter_missing", param=f"{param}[price]")
    if not price["active"]:
        raise invalid(
            "The price specified is inactive. This field only accepts active prices.", param=f"{param}[price]"
        )
    if recurring is not None and (price["recurring"] is not None) != recurring:
        kind = "recurring" if recurring else "one_time"
        raise invalid(
            f"The price specified is set to `type={price['type']}` but this field only accepts prices with "
            f"`type={kind}`.",
            param=f"{param}[price]",
        )
    return price
