"""Looks at a URL and writes the target file that a first run needs, with what it found and what it could not know."""

import asyncio
import re
import time
from dataclasses import dataclass, replace
from importlib.resources import files
from typing import Any

import tomlkit
from tomlkit.items import Table

from payproof.adapters.http import HttpSender
from payproof.canary import Ledger
from payproof.domain.documents import read_json
from payproof.domain.observation import ABSENT, REDIRECTS, Answer, NoAnswer
from payproof.domain.request import Request
from payproof.domain.sensitive import Secret
from payproof.domain.target import Budget, Target
from payproof.domain.urls import quote_path
from payproof.errors import InconclusiveError, Reason
from payproof.session.delivery import loose_target
from payproof.session.event_factory import event_factory
from payproof.stripe.deliveries import STRIPE_HEADERS
from payproof.stripe.routes import CUSTOMARY_PATHS

__all__ = ["describe_target"]

_DOCUMENTS = ("/openapi.json", "/api/openapi.json", "/swagger.json", "/v3/api-docs", "/swagger/v1/swagger.json")
_WEBHOOK = re.compile(r"stripe|web-?hook", re.IGNORECASE)
_REJECTION = range(400, 500)
#: What keeps one path from being read, such as a redirect to a login page, and says nothing about the next.
_AT_ONE_PATH = frozenset({Reason.REDIRECT_ELSEWHERE, Reason.RESPONSE_TOO_LARGE, Reason.RESPONSE_UNREADABLE})
#: Read as JSON it may take 35 times as much memory.
_DOCUMENT_BYTES = 8 * 1024 * 1024
_LOOK_SECONDS = 60.0
_MOST_LISTED = 20
#: What can be asked for as it stands, without a parameter.
_PLAIN_PATH = re.compile(r"/[!-z|~]{0,500}")


@dataclass(frozen=True, slots=True)
class _Discovery:
    """What a look at the URL brought: where the OpenAPI document and the webhook are, and how it refused an event."""

    document: str | None
    path: str | None
    status: int | None
    tried: int
    in_time: bool = True


def describe_target(url: str, *, ca_file: str | None = None) -> str:
    """Look at a URL, by reading its OpenAPI document and by unsigned empty deliveries, and return a target file.

    No more than 60 seconds of requests are begun, and no more than 20 paths of a document are tried.

    Raises:
        ConfigurationError: a URL that is not sent to.
        InconclusiveError: the host gives no answer.
    """
    target = loose_target(url, secret=Secret("none", ""), ca_file=ca_file)
    target = replace(target, budget=Budget(answer_bytes=_DOCUMENT_BYTES, evidence_characters=_DOCUMENT_BYTES))
    return _write_template(target, asyncio.run(_look(target)))


async def _look(target: Target) -> _Discovery:
    sender = HttpSender(target, Ledger())
    tried, until = 0, time.monotonic() + _LOOK_SECONDS

    async def ask(method: str, path: str) -> Answer:
        nonlocal tried
        tried += 1
        headers = STRIPE_HEADERS if method == "POST" else ((b"Accept", b"application/json"),)
        body = b"{}" if method == "POST" else b""
        answer = (await sender.send(Request(method, path, headers, body, "a look"), 0)).answer
        if isinstance(answer, NoAnswer):
            if answer.reason in _AT_ONE_PATH:
                return Answer(404, (), "", 0, answer.seconds)
            raise InconclusiveError(answer.reason, answer.detail)
        return answer

    try:
        document, listed = None, []
        for path in _DOCUMENTS:
            if time.monotonic() > until:
                break
            routes = _webhook_routes(await ask("GET", path))
            if routes is not None:
                document, listed = path, routes
                break
        for path in dict.fromkeys([target.webhook.path, *listed[:_MOST_LISTED], *CUSTOMARY_PATHS]):
            if time.monotonic() > until:
                return _Discovery(document, listed[0] if listed else None, None, tried, in_time=False)
            status = (await ask("POST", path)).status
            if status in _REJECTION and status not in ABSENT | REDIRECTS:
                return _Discovery(document, path, status, tried)
        return _Discovery(document, listed[0] if listed else None, None, tried)
    finally:
        await sender.close()


def _webhook_routes(answer: Answer) -> list[str] | None:
    """Return the POST routes of an OpenAPI document that look like webhooks, or None for anything else."""
    try:
        content: Any = read_json(answer.body)
    except ValueError:
        return None
    if not isinstance(content, dict) or not {"openapi", "swagger"} & content.keys():
        return None
    paths = content.get("paths")
    if not isinstance(paths, dict):
        return []
    return [
        quote_path(path)
        for path, operations in paths.items()
        if isinstance(operations, dict) and "post" in operations
        if _WEBHOOK.search(path) and _PLAIN_PATH.fullmatch(path)
    ]


def _write_template(target: Target, found: _Discovery) -> str:
    """Return the template with what was found; the library quotes what a foreign server has named."""
    documented = f"OpenAPI document at {found.document}" if found.document else "no OpenAPI document found"
    looked = f"{found.tried} requests"
    looked += "" if found.in_time else f", all that {_LOOK_SECONDS:g} seconds had time for,"
    head = tomlkit.document()
    for line in (
        f"Target file for payproof, written from {looked} to {target.url} ({documented}).",
        "Check each line, fill in what could not be found, then run beside this file:",
        "  STRIPE_WEBHOOK_SECRET=whsec_... payproof run",
    ):
        head.add(tomlkit.comment(line))
    head.add(tomlkit.nl())
    template = files("payproof.session") / "target_template.toml"
    content = tomlkit.parse(template.read_text(encoding="utf-8"))
    content["name"], content["url"] = target.name, target.url
    if target.ca_file:
        content["ca_file"] = target.ca_file
    hook, contract = content.item("webhook"), content.item("contract")
    assert isinstance(hook, Table)
    assert isinstance(contract, Table)
    path = tomlkit.string(found.path or CUSTOMARY_PATHS[0])
    path.comment(
        f"answered {found.status} to an unsigned delivery"
        if found.status
        else "NOT FOUND: put the right path here"
        if found.path is None
        else "from the OpenAPI document"
    )
    hook["path"] = path
    hook["api_version"] = event_factory(0).versions()[-1]
    if found.status in {400, 401, 403}:
        contract["rejected"] = [found.status]
    return tomlkit.dumps(head) + tomlkit.dumps(content)
