"""Every event template against Stripe's own OpenAPI, which stripe-mock embeds: no field invented, none missing."""

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import relevance

from harness.canary import make_canaries
from harness.stripe.events import Event, EventFactory
from tests.components import need

FIXTURES = Path(__file__).parents[2] / "fixtures" / "events"
NOW = 1_900_000_000

# The release of stripe-mock whose OpenAPI is of exactly this API version.
STRIPE_MOCK = {"2022-11-15": "v0.148.0", "2026-08-26.dahlia": "v0.203.0"}

# Stripe adds values without a new API version; this specification is older than the pause of subscriptions.
ADDED_LATER = {("2022-11-15", "customer.subscription.paused"): {"status": "active"}}

FACTORY = EventFactory(FIXTURES, seed=1)
EVENTS = [(version, event_type) for version in FACTORY.versions() for event_type in FACTORY.types(version)]


def make(api_version: str, event_type: str, **options: Any) -> Event:
    """Return an event that depends on its type and version alone."""
    canaries = make_canaries(Random(1))
    return FACTORY.make(event_type, api_version=api_version, now=NOW, canaries=canaries, key="schema", **options)


def closed(schema: Any) -> Any:
    """Return an OpenAPI 3.0 schema as JSON Schema in which an object has no properties but the named ones."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    plain = {key: closed(value) for key, value in schema.items() if key not in {"nullable", "properties"}}
    if "properties" in schema:
        plain["properties"] = {name: closed(value) for name, value in schema["properties"].items()}
        plain.setdefault("additionalProperties", False)
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") else plain


@cache
def openapi(api_version: str) -> dict[str, Any]:
    """Return the OpenAPI document of an API version from the Go module cache; empty where it cannot be had."""
    go = shutil.which("go")
    if go is None:
        return {}
    module = f"github.com/stripe/stripe-mock@{STRIPE_MOCK[api_version]}"
    done = subprocess.run(
        [go, "mod", "download", "-json", module], capture_output=True, check=False, cwd="/", timeout=100
    )
    folder = json.loads(done.stdout or "{}").get("Dir") if done.returncode == 0 else None
    if folder is None:
        return {}
    found: dict[str, Any] = json.loads(next(Path(folder).rglob("openapi/spec3.json")).read_text("utf-8"))
    return found


@cache
def components(api_version: str) -> dict[str, Any]:
    """Return the schemas of an API version, closed, by name."""
    return {name: closed(schema) for name, schema in openapi(api_version)["components"]["schemas"].items()}


def faults(api_version: str, schema: str, value: object) -> list[str]:
    """Return what is wrong with the value, innermost first, as ``path: message``."""
    root = {"$ref": f"#/components/schemas/{schema}", "components": {"schemas": components(api_version)}}
    found = []
    for error in Draft202012Validator(root).iter_errors(value):
        while error.context:
            error = min(error.context, key=lambda inner: (-len(inner.absolute_path), relevance(inner)))  # noqa: PLW2901 - descends
        found.append(f"{error.json_path}: {error.message[:300]}")
    return found


def merged(now: Any, before: Any) -> Any:
    """Return the object as it was before, whose changed attributes alone are given."""
    if isinstance(now, dict) and isinstance(before, dict):
        return now | {key: merged(now.get(key), value) for key, value in before.items()}
    return before


@pytest.fixture(autouse=True)
def _specification(api_version: str) -> None:
    need(f"stripe-mock {STRIPE_MOCK[api_version]} through Go", bool(openapi(api_version)))


@pytest.mark.parametrize("api_version", STRIPE_MOCK)
def test_version(api_version):
    """The folder of a version is named as the specification that its templates are checked against."""
    assert openapi(api_version)["info"]["version"] == api_version
    assert api_version in FACTORY.versions()


@pytest.mark.parametrize(("api_version", "event_type"), EVENTS)
def test_object(api_version, event_type):
    """Each object has the fields, types and values that Stripe's OpenAPI gives it, and no others."""
    event = make(api_version, event_type, set=ADDED_LATER.get((api_version, event_type), {}))
    subject = event.content["data"]["object"]
    assert faults(api_version, subject["object"], subject) == []


@pytest.mark.parametrize(("api_version", "event_type"), EVENTS)
def test_envelope(api_version, event_type):
    """Each event has the fields and types that Stripe's OpenAPI gives an event, and no others."""
    assert faults(api_version, "event", make(api_version, event_type).content) == []


@pytest.mark.parametrize(("api_version", "event_type"), EVENTS)
def test_previous_attributes(api_version, event_type):
    """What an update changed was a valid object before the update too."""
    content = make(api_version, event_type, set=ADDED_LATER.get((api_version, event_type), {})).content
    before = merged(content["data"]["object"], content["data"].get("previous_attributes", {}))
    assert faults(api_version, before["object"], before) == []


@pytest.mark.parametrize(
    ("api_version", "added"), [(version, added) for version in STRIPE_MOCK for added in ("invented", "status")]
)
def test_control(api_version, added):
    """The check itself refuses an invented field and a value that is not in the list."""
    subject = make(api_version, "invoice.paid").content["data"]["object"] | {added: "no such value"}
    assert len(faults(api_version, "invoice", subject)) == 1
