"""Every secret that Stripe's OpenAPI names is found: by the name that it has there, and by its form alone."""

import json
import re
from random import Random

import pytest

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.registry import detectors_at_rest
from payproof.scan.scanner import Scanner
from tests.components import need
from tests.openapi import STRIPE_MOCK, examples, openapi

# Of these Stripe's examples hold no secret, and their ids do not begin as it does: docs.stripe.com/keys, /webhooks.
BEGINNINGS = {"ephemeral_key": "ek_test_", "webhook_endpoint": "whsec_"}
SCANNER = Scanner(detectors_at_rest(), Confidence.HIGH)


def named(api_version):
    """Return schema and property of each secret that a schema of Stripe's has, a text."""
    schemas = openapi(api_version)["components"]["schemas"]
    return [
        (schema, name)
        for schema, described in sorted(schemas.items())
        for name, one in described.get("properties", {}).items()
        if name.endswith("secret") and one.get("type") == "string"
    ]


def made_up(api_version, schema, name):
    """Return a secret of a schema in the form of Stripe's own example, or the object's id; None where it has none."""
    random = Random(f"{schema} {name}")
    body = "".join(random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", k=40))
    if schema in BEGINNINGS:
        return BEGINNINGS[schema] + body
    example = examples(api_version).get(schema, {})
    shown = example.get(name)
    if shown and "_" in shown:
        return re.sub(r"[.]{3}|(?<=_)[A-Za-z0-9]{20,}", body, shown)
    beginning = re.match(r"[a-z]+(?:_test)?_", example.get("id", ""))
    return f"{beginning[0]}{body}_secret_{body}" if beginning else None


def found(data):
    """Return the kinds of what is found for sure."""
    return {one.kind for one in SCANNER.scan(data) if isinstance(one, Hit)}


@pytest.mark.parametrize("api_version", STRIPE_MOCK)
def test_secrets_that_the_openapi_names_are_found(api_version):
    """Each secret is found in the JSON that Stripe answers with, and where its form alone tells."""
    need("Go", bool(openapi(api_version)))
    secrets = named(api_version)
    assert {"payment_intent", "setup_intent", "source", "terminal.connection_token"} <= {
        schema for schema, _ in secrets
    }
    formless = set()
    for schema, name in secrets:
        secret = made_up(api_version, schema, name)
        if secret is None:
            formless.add(schema)
            secret = (
                "pi_" + "3MtwBwLkdIwHu7ix28a3tqPa" + "_secret_" + "YrKJUKribcBjcG8HVhfZluoGH"
            )  # of an invoice: a payment's
        answered = json.dumps({"object": schema, "livemode": False, name: secret}).encode()
        assert found(answered) & {"client_secret", "stripe_secret"}, (schema, secret)
        assert found(f"GET /return?x={secret}&y=1".encode()) & {"client_secret", "stripe_secret"}, (schema, secret)
    assert formless <= {"invoices_resource_confirmation_secret"}
