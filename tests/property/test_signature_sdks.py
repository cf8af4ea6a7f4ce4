"""Stripe's own SDKs take what we sign, and answer each forgery as it says they do.

Header bytes reach an SDK as frameworks hand them over: decoded as Latin-1, and of two fields of one name the first
(Starlette, before stripe-python) or both joined with ", " (node:http, before stripe-node).
"""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st
from stripe import _webhook

from payproof.stripe.forgeries import FORGERIES, forge
from payproof.stripe.forgery import SIGNATURE_HEADER, Delivery, Forgery, Material
from payproof.stripe.signature import diagnose, sign
from tests.components import installed, need

TOLERANCE = 300
NODE_FILES = ("package.json", "package-lock.json", "verify.mjs")

# The answer of an SDK takes as long as the machine wants, so no example has a deadline.
sdk = settings(deadline=None)

texts = st.text(max_size=30)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
json_layouts = st.sampled_from(
    [
        {"separators": (",", ":"), "ensure_ascii": False},
        {"indent": 2},
        {"indent": "\t", "ensure_ascii": False},
        {},
    ]
)
times = st.integers(1_600_000_000, 2_100_000_000)
secrets = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=16, max_size=40).map(
    lambda end: f"whsec_{end}"
)
# Both SDKs refuse a blank secret whatever the signature; what blank is differs, so one visible character is asked for.
any_secrets = st.text(min_size=1).filter(lambda text: re.search(r"[^\s\ufeff]", text))


@st.composite
def events(draw: st.DrawFn) -> bytes:
    """Draw an event as Stripe writes one, around arbitrary data and in any layout."""
    event = {
        "id": f"evt_{draw(st.integers(0, 2**96)):024x}",
        "object": "event",
        "type": "invoice.paid",
        "data": {"object": {"amount_paid": draw(st.integers(0, 10**6)), "metadata": draw(json_values)}},
        "livemode": draw(st.booleans()),
    }
    return json.dumps(event, **draw(json_layouts)).encode()


@st.composite
def materials(draw: st.DrawFn) -> Material:
    """Draw all that a forger may use, each secret another."""
    secret, previous, retired, api_key, publishable = draw(st.lists(secrets, min_size=5, max_size=5, unique=True))
    return Material(
        draw(events()),
        secret,
        draw(times),
        Random(draw(st.integers(0, 2**32))),
        previous_secret=previous,
        retired_secret=retired,
        api_key=api_key.replace("whsec_", "sk_test_"),
        publishable_key=publishable.replace("whsec_", "pk_test_"),
    )


def signature_fields(delivery: Delivery) -> list[str]:
    """Return the Stripe-Signature fields as a framework decodes them."""
    return [value.decode("latin-1") for name, value in delivery.headers if name == SIGNATURE_HEADER]


def signed(body: bytes, secret: str, timestamp: int) -> Delivery:
    """Return the delivery of a body that we sign for a time."""
    return Delivery(((SIGNATURE_HEADER, sign(body, secrets=[secret], timestamp=timestamp).encode()),), body)


def stripe_python(delivery: Delivery, secret: str, now: int, *, parse: bool = True) -> str:
    """Return what stripe-python says at a time: accepted, refused or raised."""
    header = next(iter(signature_fields(delivery)), None)
    with mock.patch.object(_webhook, "time", SimpleNamespace(time=lambda: float(now))):
        try:
            if parse:
                stripe.Webhook.construct_event(delivery.body, header, secret)
            else:
                stripe.WebhookSignature.verify_header(delivery.body, header, secret, TOLERANCE)
        except stripe.SignatureVerificationError:
            return "refused"
        except Exception:  # noqa: BLE001 - which error it is, is what the forgery's annotation leaves open
            return "raised"
    return "accepted"


@dataclass(frozen=True)
class StripeNode:
    """One node process that answers for stripe-node."""

    process: subprocess.Popen[str]

    def __call__(self, delivery: Delivery, secret: str, now: int, *, parse: bool = True) -> str:
        """Return what stripe-node says at a time: accepted, refused or raised."""
        question = {
            "body": base64.b64encode(delivery.body).decode(),
            "headers": signature_fields(delivery),
            "secret": secret,
            "now": now,
            "parse": parse,
        }
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        verdict: str = json.loads(self.process.stdout.readline())["verdict"]
        return verdict


@pytest.fixture(scope="session")
def stripe_node() -> Iterator[StripeNode]:
    """Start stripe-node, which says so when node is missing or the package cannot be installed."""
    need("node", shutil.which("node") is not None and shutil.which("npm") is not None)
    source = Path(__file__).parent / "stripe_node"
    command = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    folder = installed("stripe-node", [source / name for name in NODE_FILES], command)
    need("stripe-node", folder is not None)
    with subprocess.Popen(
        ["node", "verify.mjs"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield StripeNode(process)


def annotated(forgery: Forgery, name: str) -> str:
    """Return what a forgery says that an SDK answers."""
    if name in forgery.sdk_accepts:
        return "accepted"
    return "raised" if name in forgery.sdk_raises else "refused"


def answers_are_as_annotated(name: str, verify: Callable[..., str], material: Material) -> None:
    """Compare all forgeries at once, so that a failure names each one whose annotation is wrong."""
    answers = {
        forgery.name: verify(forge(forgery.name, material), material.secret, material.now)
        for forgery in FORGERIES.values()
    }
    assert answers == {forgery.name: annotated(forgery, name) for forgery in FORGERIES.values()}


@sdk
@given(material=materials())
def test_stripe_python_answers_each_forgery_as_annotated(material: Material):
    """stripe-python accepts, refuses or raises on every forgery exactly as the forgery says."""
    answers_are_as_annotated("python", stripe_python, material)


@sdk
@given(material=materials())
def test_stripe_node_answers_each_forgery_as_annotated(stripe_node: StripeNode, material: Material):
    """stripe-node accepts, refuses or raises on every forgery exactly as the forgery says."""
    answers_are_as_annotated("node", stripe_node, material)


@sdk
@given(body=events(), secret=any_secrets, now=times, age=st.integers(-TOLERANCE, TOLERANCE))
def test_stripe_python_constructs_what_we_sign(body: bytes, secret: str, now: int, age: int):
    """stripe-python builds the event of every delivery that we sign with any secret within the tolerance."""
    assert stripe_python(signed(body, secret, now - age), secret, now) == "accepted"


@sdk
@given(body=events(), secret=any_secrets, now=times, age=st.integers(-TOLERANCE, TOLERANCE))
def test_stripe_node_constructs_what_we_sign(stripe_node: StripeNode, body: bytes, secret: str, now: int, age: int):
    """stripe-node builds the event of every delivery that we sign with any secret within the tolerance."""
    assert stripe_node(signed(body, secret, now - age), secret, now) == "accepted"


@sdk
@given(text=st.text(), secret=any_secrets, now=times)
def test_stripe_python_verifies_any_text(text: str, secret: str, now: int):
    """stripe-python verifies our signature of any Unicode text."""
    assert stripe_python(signed(text.encode(), secret, now), secret, now, parse=False) == "accepted"


@sdk
@given(text=st.text().filter(lambda text: not text.startswith("\ufeff")), secret=any_secrets, now=times)
def test_stripe_node_verifies_any_text(stripe_node: StripeNode, text: str, secret: str, now: int):
    """stripe-node verifies our signature of any Unicode text but one that starts with the mark that it drops."""
    assert stripe_node(signed(text.encode(), secret, now), secret, now, parse=False) == "accepted"


@given(text=st.text(), secret=any_secrets, timestamp=times)
def test_our_signature_is_stripes(text: str, secret: str, timestamp: int):
    """Our header is, character for character, the one that stripe-python makes for tests."""
    ours = sign(text.encode(), secrets=[secret], timestamp=timestamp)
    assert ours == stripe.WebhookSignature.generate_signature_header(text, secret, timestamp)


@sdk
@given(material=materials())
def test_diagnosis_is_never_laxer_than_stripe_python(material: Material):
    """What our diagnosis calls verified is what stripe-python accepts, and what it does not has a reason."""
    for name in FORGERIES:
        delivery = forge(name, material)
        header = next(iter(signature_fields(delivery)), "")
        diagnosis = diagnose(delivery.body, header, material.secret, now=material.now)
        assert diagnosis.verifies != bool(diagnosis.reasons), name
        if diagnosis.verifies:
            assert stripe_python(delivery, material.secret, material.now) == "accepted", name


@sdk
@given(document=st.dictionaries(texts, json_values, max_size=4), layout=json_layouts, seed=st.integers(0, 2**32))
def test_changed_bodies_differ_and_stay_what_they_claim(document: dict[str, Any], layout: dict[str, Any], seed: int):
    """Whatever JSON object it starts from, a changed body is sent with no signature of the bytes sent."""
    body = json.dumps(document, **layout).encode()
    material = Material(body, "whsec_" + "0123456789abcdef", 1_700_000_000, Random(seed))
    for name in FORGERIES:
        if name.startswith("body_changed."):
            delivery = forge(name, material)
            json.loads(delivery.body)
            (header,) = signature_fields(delivery)
            right = sign(delivery.body, secrets=[material.secret], timestamp=material.now)
            assert right.partition("v1=")[2] not in header, name
