"""Events, as the API shows them."""

from payproof.stripe.double.calls import Call, list_page, operation
from payproof.stripe.double.relations import Object


@operation("GET /v1/events")
def list_events(call: Call) -> Object:
    """List events, newest first; a type may end in ``*``."""
    params = call.params
    kind, kinds = params.get("type"), params.get("types")

    def is_wanted(event: Object) -> bool:
        name = event["type"]
        if kind is not None and kind.endswith("*"):
            return bool(name.startswith(kind[:-1]))
        return kind in {None, name} and (kinds is None or name in kinds)

    return list_page(call, (event for event in call.store.all("event") if is_wanted(event)), "/v1/events")


@operation("GET /v1/events/{}")
def retrieve_event(call: Call) -> Object:
    """Fetch an event."""
    return call.store.living("event", call.id)
