"""Deliveries that Stripe itself could have sent: the positive controls, and secrets that are being rolled."""

from payproof.stripe.forgery import (
    Delivery,
    Forgery,
    Material,
    made_up_secret,
    require_secret,
    signature_of,
    with_signatures,
)
from payproof.stripe.signature import hexdigest

__all__ = ["FORGERIES"]

_BOTH = frozenset({"python", "node"})
_PREVIOUS = frozenset({"previous_secret"})
_JUNK_SIGNATURES = 3


def _valid(material: Material) -> Delivery:
    return with_signatures(material, signature_of(material))


def _previous(material: Material) -> str:
    return hexdigest(material.body, require_secret(material, "previous_secret"), material.now)


def _new_then_old(material: Material) -> Delivery:
    return with_signatures(material, signature_of(material), _previous(material))


def _old_then_new(material: Material) -> Delivery:
    return with_signatures(material, _previous(material), signature_of(material))


def _junk(material: Material) -> list[str]:
    return [hexdigest(material.body, made_up_secret(material), material.now) for _ in range(_JUNK_SIGNATURES)]


def _junk_then_good(material: Material) -> Delivery:
    return with_signatures(material, *_junk(material), signature_of(material))


def _good_then_junk(material: Material) -> Delivery:
    return with_signatures(material, signature_of(material), *_junk(material))


def _old_only(material: Material) -> Delivery:
    return with_signatures(material, _previous(material))


def _after_window(material: Material) -> Delivery:
    return with_signatures(material, hexdigest(material.body, require_secret(material, "retired_secret"), material.now))


FORGERIES = (
    Forgery("valid", "The body as Stripe signs it, now.", _valid, sdk_accepts=_BOTH),
    Forgery(
        "rotation.new_then_old",
        "Signed with the new secret, then with the previous one.",
        _new_then_old,
        sdk_accepts=_BOTH,
        needs=_PREVIOUS,
    ),
    Forgery(
        "rotation.old_then_new",
        "Signed with the previous secret, then with the new one.",
        _old_then_new,
        sdk_accepts=_BOTH,
        needs=_PREVIOUS,
    ),
    Forgery(
        "rotation.junk_then_good",
        "Three signatures under made-up secrets, then the right one.",
        _junk_then_good,
        sdk_accepts=_BOTH,
    ),
    Forgery(
        "rotation.good_then_junk",
        "The right signature, then three under made-up secrets.",
        _good_then_junk,
        sdk_accepts=_BOTH,
    ),
    # The SDKs take one secret: a target holds both while it rolls, and asks the SDK once for each.
    Forgery(
        "rotation.old_only", "Signed only with the previous secret, inside its window.", _old_only, needs=_PREVIOUS
    ),
    Forgery(
        "retired_secret.after_window",
        "Signed with a secret whose window is over.",
        _after_window,
        needs=frozenset({"retired_secret"}),
    ),
)
