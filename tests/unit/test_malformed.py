"""Bodies that are no event: each is what its name says, and the same each time."""

import json
from random import Random

import pytest

from payproof.canary import make_canaries
from payproof.domain.documents import read_json
from payproof.errors import ConfigurationError
from payproof.session import event_factory
from payproof.steps.deliver_malformed import DeliverMalformed
from payproof.stripe.malformed import MALFORMED, make_malformed

MEBIBYTE = 1024 * 1024
NO_JSON = {"empty", "blank", "no_json", "cut", "form", "invalid_utf8"}
NO_OBJECT = {"list", "string", "number", "null", "deep_lists"}


@pytest.fixture(scope="module")
def event():
    """The JSON of an event."""
    factory = event_factory(1)
    made = factory.make(
        "customer.subscription.updated",
        api_version=factory.versions()[-1],
        now=1_900_000_000,
        canaries=make_canaries(Random(7)),
        key="test",
        livemode=False,
        ids={},
        set={},
    )
    return made.encode()


@pytest.mark.parametrize("kind", MALFORMED)
def test_bodies_are_no_event_as_stripe_sends_it(event, kind):
    """No kind is the event itself, and each is the same when it is made again."""
    body = make_malformed(kind, event)
    assert body != event
    assert make_malformed(kind, event) == body


@pytest.mark.parametrize("kind", sorted(NO_JSON | NO_OBJECT))
def test_what_is_no_object(event, kind):
    """The kinds that are no JSON are none to a parser, and those that are no object are something else."""
    body = make_malformed(kind, event)
    if kind in NO_JSON:
        with pytest.raises(ValueError, match=r"."):
            json.loads(body)
    elif kind == "deep_lists":
        with pytest.raises(RecursionError):
            json.loads(body)
    else:
        assert not isinstance(json.loads(body), dict)


@pytest.mark.parametrize(("kind", "size"), [("large_10", 10), ("large_50", 50)])
def test_large_bodies_are_events_otherwise(event, kind, size):
    """A large body has at least its size, little more, and all that the event says."""
    body = make_malformed(kind, event)
    assert size * MEBIBYTE < len(body) < (size + 1) * MEBIBYTE
    assert read_json(body)["id"] == json.loads(event)["id"]


def test_unknown_kinds_are_refused():
    """A kind that there is not is refused with the nearest one, in a scenario file as elsewhere."""
    with pytest.raises(ConfigurationError, match="large_10"):
        make_malformed("large_1O", b"{}")
    with pytest.raises(ValueError, match="did you mean 'no_json'"):
        DeliverMalformed(kinds=("empty", "no_jsn"))
