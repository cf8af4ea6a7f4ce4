"""Where a target may take events beside the place that its file names, and how an effect there is told."""

from dataclasses import replace

import pytest

from payproof.checks.not_taken import NotTaken
from payproof.domain.observation import Answer, Exchange, Sent, StoreChange, TableChange
from payproof.domain.seen import Seen
from payproof.domain.sensitive import Secret
from payproof.domain.target import Contract, Environment, OpenApi, Target, Webhook
from payproof.stripe.addresses import list_beside, list_known, list_queries

TARGET = Target(
    "t", "https://t.example", Environment.LOCAL, Webhook("/billing/stripe/", Secret("webhook secret", "whsec_x"), "v")
)
QUERY = replace(
    TARGET, webhook=Webhook("/index.php?option=shop&task=stripe_webhook", Secret("webhook secret", "whsec_x"), "v")
)
DOCUMENT = {
    "servers": [{"url": "https://t.example/api"}],
    "paths": {
        "/hooks/{tenant}/stripe": {"post": {}},
        "/paypal/ipn": {"post": {}, "get": {}},
        "/webhook-log": {"get": {}},
        "/customers": {"post": {}},
    },
}


def test_listed_and_documented_routes_are_known():
    """Routes to which one may post, and that look like webhooks, are tried, with what stands for an id filled in."""
    routes = ("POST /webhooks/old", "GET /webhooks/list", "POST /customers")
    places = list_known(replace(TARGET, routes=routes, openapi=OpenApi("/openapi.json", DOCUMENT)))
    assert {"/webhooks/old", "/api/hooks/payproof/stripe", "/api/paypal/ipn", "/stripe/webhook"} <= set(places)
    assert not [one for one in places if one.endswith(("/customers", "/list", "-log")) or one == "/billing/stripe/"]


def test_places_beside_the_webhook():
    """With and without slash, and the folders above."""
    assert {"/billing/stripe", "/billing", "/billing/"} <= set(list_beside(TARGET))
    assert "/billing/stripe/" not in list_beside(TARGET)


def test_queries_are_switched_left_out_and_replaced():
    """A switch is added; where the query names the handler, each parameter is left out, and given other values."""
    assert "/billing/stripe/?skip_verification=1" in list_queries(TARGET)
    places = list_queries(QUERY)
    assert {
        "/index.php?option=shop",
        "/index.php?task=stripe_webhook",
        "/index.php?option=shop&task=stripe_webhook_test",
        "/index.php?option=shop&task=stripe_webhook&test=1",
    } <= set(places)
    assert QUERY.webhook.path not in places


def exchange(status, url="https://t.example/other"):
    """An answer at another place."""
    return Exchange(0, Sent("POST", url, "", 0, ""), Answer(status, (), "", 0, 0.1))


def change(*tables, step=0):
    """A look into the store."""
    return StoreChange(step, "db", tuple(TableChange(one, 1, 0) for one in tables))


CONTROL = (change("inbox", "subscriptions"),)


@pytest.mark.parametrize(
    ("seen", "found", "unjudged"),
    [
        ((exchange(404), change()), [], []),
        ((exchange(200), change()), [], []),
        ((exchange(422), change("paypal_events")), [], []),
        ((exchange(200), exchange(404), change("inbox")), ["db, table inbox: 1 rows added, 0 removed; "], []),
        ((exchange(404), exchange(401)), [], []),
        ((exchange(200), exchange(401)), [], ["1 forged deliveries were not refused"]),
    ],
)
def test_what_the_stores_say_decides(seen, found, unjudged):
    """A table that genuine deliveries change too is an effect; a status alone is none."""
    given = Seen(Contract(), seen, CONTROL)
    told = [one.seen for one in NotTaken().judge(given)]
    assert len(told) == len(found)
    assert all(one.startswith(start) for one, start in zip(told, found, strict=True))
    assert all("https://t.example/other answered 200" in one for one in told)
    doubts = list(NotTaken().find_unjudged(given))
    assert [one[: len(start)] for one, start in zip(doubts, unjudged, strict=True)] == unjudged
