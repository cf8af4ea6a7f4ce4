"""Deliveries signed in every respect as Stripe signs, but with a key that is not the endpoint's secret."""

from payproof.stripe.forgery import (
    Delivery,
    Forgery,
    Material,
    deliver,
    made_up_secret,
    require_secret,
    with_signatures,
)
from payproof.stripe.signature import hexdigest, sign
from payproof.stripe.well_known import SECRETS

__all__ = ["FORGERIES"]

_OFFERING_HEADERS = (b"Stripe-Webhook-Secret", b"X-Stripe-Webhook-Secret", b"X-Webhook-Secret")
_OFFERING_PARAMETERS = ("secret", "webhook_secret", "endpoint_secret")


def _signed_with(material: Material, key: str) -> Delivery:
    return with_signatures(material, hexdigest(material.body, key, material.now))


def _random(material: Material) -> Delivery:
    return _signed_with(material, material.random.randbytes(32).hex())


def _other_endpoint(material: Material) -> Delivery:
    return _signed_with(material, made_up_secret(material))


def _api_key(material: Material) -> Delivery:
    return _signed_with(material, require_secret(material, "api_key"))


def _publishable_key(material: Material) -> Delivery:
    return _signed_with(material, require_secret(material, "publishable_key"))


def _guessable(case: str) -> Forgery:
    key, words = SECRETS[case]
    return Forgery(f"guessable_secret.{case}", f"Signed with {words}.", lambda material: _signed_with(material, key))


def _offered_in_header(material: Material) -> Delivery:
    secret = made_up_secret(material)
    value = sign(material.body, secrets=[secret], timestamp=material.now)
    return deliver(material, value, headers=tuple((name, secret.encode()) for name in _OFFERING_HEADERS))


def _offered_in_query(material: Material) -> Delivery:
    secret = made_up_secret(material)
    value = sign(material.body, secrets=[secret], timestamp=material.now)
    return deliver(material, value, query=tuple((name, secret) for name in _OFFERING_PARAMETERS))


FORGERIES = (
    Forgery("wrong_secret.random", "Signed with 64 random hexadecimal digits as key.", _random),
    Forgery("wrong_secret.other_endpoint", "Signed with a secret as another endpoint would have.", _other_endpoint),
    Forgery("wrong_secret.api_key", "Signed with the API key.", _api_key, needs=frozenset({"api_key"})),
    Forgery(
        "wrong_secret.publishable_key",
        "Signed with the publishable key, which every visitor sees.",
        _publishable_key,
        needs=frozenset({"publishable_key"}),
    ),
    *(_guessable(case) for case in SECRETS),
    Forgery(
        "secret_from_request.header",
        "Signed with a made-up secret that the request offers in header fields.",
        _offered_in_header,
    ),
    Forgery(
        "secret_from_request.query",
        "Signed with a made-up secret that the request offers in its query.",
        _offered_in_query,
    ),
)
