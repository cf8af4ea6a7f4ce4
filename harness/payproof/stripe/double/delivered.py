"""What Stripe must know once it has told of it: the objects of delivered events, and whatever these refer to.

An event that a run makes up is Stripe's own as soon as it is delivered. So its object exists, as the event shows it,
and so does the customer, the price or the payment that the event only names. The recipe of the event makes them: the
same placeholders are the same ids and values.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from payproof.errors import ConfigurationError
from payproof.stripe.double.relations import Object, kind_of, payment_id
from payproof.stripe.double.settled import adjust, template_of
from payproof.stripe.double.store import ObjectStore
from payproof.stripe.events import Event, Recipe
from payproof.stripe.placeholders import prefix_of
from payproof.stripe.subjects import name_subject
from payproof.stripe.templates import assign

__all__ = ["take_in"]

_DISCOUNTS = frozenset({"discount", "promotion_code"})
_MADE_UP = re.compile("[A-Z0-9]")

#: What exists no more once an event of its end was sent; other ends, such as a subscription's, leave a state.
_GONE = frozenset(
    {
        *("bank_account", "card", "coupon", "customer", "invoice", "invoiceitem", "plan", "price", "product"),
        *("source", "tax_id"),
    }
)


def take_in(store: ObjectStore, event: Event) -> None:
    """File the object of a delivered event and whatever it refers to, unless the double wrote the event itself.

    The latest state by the events' times wins. What is only referred to is made where nothing is known of it.
    """
    if event.recipe is None or store.find("event", event.id) is not None:
        return
    store.file("event", event.id, dict(event.content))
    subject = _newest(store, event, event.recipe)
    kind, object_id = str(subject["object"]), event.object_id
    if object_id.startswith("upcoming_") or not object_id:
        found = [subject]  # a preview, which nobody can ask for by its id
    else:
        created = int(event.content["created"])
        if event.type.endswith(".deleted") and kind in _GONE:
            gone = {"id": object_id, "object": kind, "deleted": True}
            store.file_report(kind, gone, created)
        else:
            store.file_report(kind, subject, created)
            store.note_shape(subject, store.shapes.of(event.api_version), event.content["data"]["object"])
        found = [subject, *_within(store, subject, created)]
    _file_related(store, event, event.recipe, found)


def _newest(store: ObjectStore, event: Event, recipe: Recipe) -> Object:
    """Return the event's object in the newest shape."""
    if store.shapes.is_newest(event.api_version):
        subject: Object = event.content["data"]["object"]
        return subject
    content: Object = recipe.filling.fill(store.shapes.newest_event(event.type))
    name_subject(content["data"]["object"], recipe.subject)
    for path, value in recipe.set.items():
        try:
            assign(content, path, value)
        except ConfigurationError:
            continue  # what the older shape alone has
    made: Object = content["data"]["object"]
    return made


def _within(store: ObjectStore, subject: Object, created: int) -> Iterator[Object]:
    """File the objects that another one shows whole, and yield them."""
    for node in _objects(list(subject.values())):
        kind = kind_of(node.get("id"))
        if kind is not None and kind == node.get("object"):
            store.file_report(kind, node, created, aside=True)
            yield node


def _file_related(store: ObjectStore, event: Event, recipe: Recipe, found: list[Object]) -> None:
    """Make what objects refer to, and what that refers to in turn, where the account has no such object."""
    subject = found[0]
    names = {prefix_of(one): one for one in reversed([*_ids([event.content, subject])])}
    filling = recipe.filling.pin(names)
    # What an older shape alone names is in the event as it was delivered.
    told = [event.content["data"], event.content.get("account")]
    waiting = [(subject, str(kind_of(name)), name) for name in _ids(told)]
    waiting += [(one, *named) for one in found for named in _references(one)]
    while waiting:
        one, kind, name = waiting.pop()
        template = None if store.find(kind, name) is not None else template_of(store.shapes, kind, subject)
        if template is not None:
            made: Object = filling.pin({prefix_of(name): name}).fill(template) | {"id": name}
            name_subject(made, recipe.subject)
            adjust(made, subject, one)
            store.file(kind, name, made)
            waiting += [(made, *named) for named in _references(made)]


def _references(one: Object) -> Iterator[tuple[str, str]]:
    """Yield kind and id of each object that another one names, and of the payment that an invoice has unnamed."""
    if one.get("object") == "invoice" and one["status"] != "draft" and one["amount_due"] and kind_of(one.get("id")):
        yield "invoice_payment", payment_id(one["id"])
    coupon = (one.get("source") or one.get("promotion") or {}) if one.get("object") in _DISCOUNTS else {}
    if isinstance(coupon.get("coupon"), str):
        yield "coupon", coupon["coupon"]
    for name in _ids(one):
        yield str(kind_of(name)), name


def _objects(node: Any) -> Iterator[Object]:
    if isinstance(node, Mapping):
        if isinstance(node.get("object"), str):
            yield dict(node)
        for value in node.values():
            yield from _objects(value)
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value)


def _ids(node: Any, name: str = "") -> Iterator[str]:
    """Yield each text that is an id of a known kind, and not a word such as ``card_declined``."""
    if isinstance(node, str):
        kind = kind_of(node)
        if kind is not None and (_MADE_UP.search(node) or name.endswith((kind, "id"))):
            yield node
    elif isinstance(node, Mapping):
        for key, value in node.items():
            yield from _ids(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from _ids(value, name)
