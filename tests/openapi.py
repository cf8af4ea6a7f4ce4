"""Stripe's own OpenAPI, which stripe-mock embeds; ``python -m tests.openapi`` writes what the double takes from it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import relevance

from payproof.stripe.double import OPERATIONS
from payproof.stripe.parameters import pattern

__all__ = [
    "FIXTURES",
    "STRIPE_MOCK",
    "answer_schema",
    "examples",
    "faults",
    "installed_stripe_mock",
    "openapi",
    "parameters",
    "written",
]

FIXTURES = Path(__file__).parents[1] / "fixtures"

# The release of stripe-mock whose OpenAPI is of exactly this API version.
STRIPE_MOCK = {"2022-11-15": "v0.148.0", "2026-08-26.dahlia": "v0.203.0"}

_KEPT = ("additionalProperties", "enum", "maxLength", "required", "type")


def openapi(api_version: str) -> dict[str, Any]:
    """Return the OpenAPI document of an API version from the Go module cache; empty where it cannot be had."""
    return _document(api_version, "spec3.json")


def examples(api_version: str) -> dict[str, Any]:
    """Return Stripe's example of each resource of an API version; empty where they cannot be had."""
    found: dict[str, Any] = _document(api_version, "fixtures3.json").get("resources", {})
    return found


@cache
def _document(api_version: str, name: str) -> dict[str, Any]:
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
    found: dict[str, Any] = json.loads(next(Path(folder).rglob(f"openapi/{name}")).read_text("utf-8"))
    return found


@cache
def installed_stripe_mock(api_version: str) -> Path | None:
    """Return the stripe-mock whose OpenAPI is of an API version, built once for this user; None without Go."""
    go, release = shutil.which("go"), STRIPE_MOCK[api_version]
    if go is None:
        return None
    cache_folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "payproof"
    program = cache_folder / f"stripe-mock-{release}"
    if not program.exists():
        cache_folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache_folder) as name:
            command = [go, "install", f"github.com/stripe/stripe-mock@{release}"]
            done = subprocess.run(
                command, env={**os.environ, "GOBIN": name}, capture_output=True, check=False, cwd="/", timeout=110
            )
            if done.returncode:
                return None
            # A move within one file system: another worker of this run may do the same.
            (Path(name) / "stripe-mock").replace(program)
    return program


def closed(schema: Any) -> Any:
    """Return an OpenAPI 3.0 schema as JSON Schema in which an object has no properties but the named ones.

    A list has ``total_count`` besides, which Stripe sends within objects and documents nowhere but in its examples.
    """
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    plain = {key: closed(value) for key, value in schema.items() if key not in {"nullable", "properties"}}
    if "properties" in schema:
        plain["properties"] = {name: closed(value) for name, value in schema["properties"].items()}
        if schema["properties"].get("object", {}).get("enum") == ["list"]:
            plain["properties"]["total_count"] = {"type": "integer"}
        plain.setdefault("additionalProperties", False)
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") else plain


@cache
def components(api_version: str) -> dict[str, Any]:
    """Return the schemas of an API version, closed, by name."""
    return {name: closed(schema) for name, schema in openapi(api_version)["components"]["schemas"].items()}


def _with_components(api_version: str, schema: str) -> dict[str, Any]:
    return dict(json.loads(schema), components={"schemas": components(api_version)})


@cache
def _fast_validator(api_version: str, schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(_with_components(api_version, schema))


@cache
def _validator(api_version: str, schema: str) -> Draft202012Validator:
    return Draft202012Validator(_with_components(api_version, schema))


def faults(api_version: str, schema: str | dict[str, Any], value: object) -> list[str]:
    """Return what is wrong with a value by a schema or the one of a name, innermost first, as ``path: message``."""
    top = json.dumps({"$ref": f"#/components/schemas/{schema}"} if isinstance(schema, str) else schema)
    if _fast_validator(api_version, top).is_valid(value):
        return []
    # Of what is wrong this one has the branches that were tried, of which the innermost tells most.
    found = []
    for error in _validator(api_version, top).iter_errors(value):
        while error.context:
            error = min(error.context, key=lambda inner: (-len(inner.absolute_path), relevance(inner)))  # noqa: PLW2901 - descends
        found.append(f"{error.json_path}: {error.message[:300]}")
    assert found, f"jsonschema-rs refuses what jsonschema allows by {top[:300]}"
    return found


@cache
def _operations(api_version: str) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {pattern(path)}": operation
        for path, methods in openapi(api_version)["paths"].items()
        for method, operation in methods.items()
    }


def answer_schema(api_version: str, operation: str) -> dict[str, Any]:
    """Return the closed schema of what an operation answers with 200."""
    answer = _operations(api_version)[operation]["responses"]["200"]["content"]["application/json"]["schema"]
    schema: dict[str, Any] = closed(answer)
    return schema


@cache
def parameters(api_version: str) -> dict[str, Any]:
    """Return the schema of each operation's parameters, without words, for the operations that the double has."""
    known = _operations(api_version)
    return {name: _parameters(known[name]) for name in sorted(OPERATIONS) if name in known}


def _parameters(operation: dict[str, Any]) -> dict[str, Any]:
    body = operation.get("requestBody", {}).get("content", {}).get("application/x-www-form-urlencoded", {})
    schema = _bare(body.get("schema", {}))
    properties = schema.get("properties", {})
    required = list(schema.get("required", []))
    for one in operation.get("parameters", []):
        if one["in"] == "query":
            properties[one["name"]] = _bare(one["schema"])
            required += [one["name"]] if one.get("required") else []
    return {"properties": properties} | ({"required": required} if required else {})


def _bare(schema: dict[str, Any]) -> dict[str, Any]:
    bare: dict[str, Any] = {key: schema[key] for key in _KEPT if key in schema and key != "additionalProperties"}
    if schema.get("format") == "decimal":
        bare["format"] = "decimal"
    if isinstance(schema.get("additionalProperties"), dict):
        bare["additionalProperties"] = _bare(schema["additionalProperties"])
    if "properties" in schema:
        bare["properties"] = {name: _bare(inner) for name, inner in schema["properties"].items()}
    if "items" in schema:
        bare["items"] = _bare(schema["items"])
    if "anyOf" in schema:
        bare["anyOf"] = [_bare(inner) for inner in schema["anyOf"]]
    return bare


def written(found: dict[str, Any]) -> str:
    """Return the file's text: one operation a line."""
    lines = (f"{json.dumps(name)}: {json.dumps(schema, separators=(',', ':'))}" for name, schema in found.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    for version in STRIPE_MOCK:
        (FIXTURES / "api" / f"{version}.json").write_text(written(parameters(version)))
        sys.stdout.write(f"fixtures/api/{version}.json\n")
