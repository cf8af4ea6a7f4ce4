"""Looks at a URL and writes the target file that a first run needs, with what it found and what it could not know."""

import asyncio
import json
import re
from dataclasses import dataclass, replace
from typing import Any

from harness.adapters.http import HttpSender
from harness.canary import Ledger
from harness.domain.contracts import Request
from harness.domain.documents import read_json
from harness.domain.observation import Answer, NoAnswer
from harness.domain.sensitive import Secret
from harness.domain.target import Budget, Target
from harness.domain.urls import quoted
from harness.errors import InconclusiveError, Reason
from harness.session.delivery import loose_target
from harness.session.run import event_factory
from harness.stripe.deliveries import STRIPE_HEADERS

__all__ = ["describe_target"]

_DOCUMENTS = ("/openapi.json", "/api/openapi.json", "/swagger.json", "/v3/api-docs", "/swagger/v1/swagger.json")
_CUSTOMARY = (
    "/webhooks/stripe",
    "/webhook/stripe",
    "/stripe/webhooks",
    "/stripe/webhook",
    "/api/webhooks/stripe",
    "/api/webhook/stripe",
    "/api/stripe/webhooks",
    "/api/stripe/webhook",
    "/api/v1/webhooks/stripe",
    "/billing/webhook",
    "/payments/webhook",
    "/webhooks",
    "/webhook",
    "/api/webhook",
)
_WEBHOOK = re.compile(r"stripe|web-?hook", re.IGNORECASE)
_ABSENT = frozenset({301, 302, 303, 307, 308, 404, 405, 410})
_REJECTION = range(400, 500)
#: What keeps one path from being read, such as a redirect to a login page, and says nothing about the next.
_AT_ONE_PATH = frozenset({Reason.REDIRECT_ELSEWHERE, Reason.RESPONSE_TOO_LARGE, Reason.RESPONSE_UNREADABLE})
_DOCUMENT_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class _Found:
    """What a look at the URL brought: where the OpenAPI document and the webhook are, and how it refused an event."""

    document: str | None
    path: str | None
    status: int | None
    tried: int


def describe_target(url: str, *, ca_file: str | None = None) -> str:
    """Look at a URL, by reading its OpenAPI document and by unsigned empty deliveries, and return a target file.

    Raises:
        ConfigurationError: a URL that is not sent to.
        InconclusiveError: the host gives no answer.
    """
    target = loose_target(url, secret=Secret("none", ""), ca_file=ca_file)
    target = replace(target, budget=Budget(answer_bytes=_DOCUMENT_BYTES, evidence_characters=_DOCUMENT_BYTES))
    return _written(target, asyncio.run(_look(target)))


async def _look(target: Target) -> _Found:
    sender = HttpSender(target, Ledger())
    tried = 0

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
            routes = _webhook_routes(await ask("GET", path))
            if routes is not None:
                document, listed = path, routes
                break
        for path in dict.fromkeys([target.webhook.path, *listed, *_CUSTOMARY]):
            status = (await ask("POST", path)).status
            if status in _REJECTION and status not in _ABSENT:
                return _Found(document, path, status, tried)
        return _Found(document, listed[0] if listed else None, None, tried)
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
        quoted(path)
        for path, operations in paths.items()
        if isinstance(operations, dict) and "post" in operations
        if _WEBHOOK.search(path) and "{" not in path
    ]


def _written(target: Target, found: _Found) -> str:
    toml = json.dumps  # TOML's basic strings are JSON's, for what stands in a URL
    looked = f"{found.tried} requests"
    path = found.path or "/webhooks/stripe"
    why = (
        f"answered {found.status} to an unsigned delivery"
        if found.status
        else "NOT FOUND: put the right path here"
        if found.path is None
        else "from the OpenAPI document"
    )
    rejected = [found.status] if found.status in {400, 401, 403} else [400, 401, 403]
    documented = f"OpenAPI document at {found.document}" if found.document else "no OpenAPI document found"
    ca_line = (
        f"ca_file = {toml(target.ca_file)}"
        if target.ca_file
        else '# ca_file = "ca.pem"      # a private certificate authority'
    )
    return f"""\
# Target file for payproof, written from {looked} to {target.url} ({documented}).
# Check each line, fill in what could not be found, then run:
#   STRIPE_WEBHOOK_SECRET=whsec_... payproof run --target payproof.toml

name = {toml(target.name)}
url = {toml(target.url)}
environment = "staging"     # local, staging or production; on production nothing that changes something runs
{ca_line}
# api_key_env = "STRIPE_API_KEY"       # test key of the target: must not verify webhooks, must leak nowhere
# publishable_key = "pk_test_..."      # must not verify webhooks

[webhook]
path = {toml(path)}         # {why}
secret_env = "STRIPE_WEBHOOK_SECRET"   # the variable that holds the endpoint's signing secret
api_version = {toml(event_factory(0).versions()[-1])}     # of the endpoint's events
# previous_secret_env = "STRIPE_PREVIOUS_WEBHOOK_SECRET"   # rolled, still in its window
# retired_secret_env = "STRIPE_RETIRED_WEBHOOK_SECRET"     # rolled, its window is over

# Where the target leaves traces. Without a store, "rejected but applied" cannot be told from "rejected": such cases are
# skipped, not passed, until a store is listed or waived with a reason.
# [[stores]]
# name = "database"
# url = "sqlite:billing.db"          # or postgresql://USER@HOST/DATABASE, with a role that may read every table
# url_env = "BILLING_WATCHER_URL"    # instead of url: the variable that holds a URL with a password
# ignore = ["sessions"]              # tables that change by themselves or cannot be read
# rejection_log = ["rejections"]     # tables that may record rejected deliveries
# busy = true                        # others change it too: judge only rows with the run's own ids
[[waive]]
channel = "store"
reason = "no access to the database was configured when this file was written"

# [[logs]]
# name = "service"
# url = "file:/var/log/billing.log"
[[waive]]
channel = "log"
reason = "no access to the log was configured when this file was written"

# Caches, dumps, temporary folders, a database's own files: searched for payment data that was offered.
# [[files]]
# name = "temporary files"
# url = "file:/var/lib/billing/tmp"   # a file, a folder, or a pattern such as /var/backups/*.sql.gz

# What removes old rows, and what it is to remove: planted by deliveries of old events, then purged, then looked for.
# [retention]
# purge = ["billing", "purge"]        # a command and its arguments; run beside this file, without a shell
# [[retention.rows]]
# table = "payments"
# days = 400
# event = "charge.succeeded"          # makes such a row
# stays = []                          # types of events whose rows stay, however old
# [[retention.rows]]                  # age counts from when the event came: needs purge_at = [..., "{{time}}", ...]
# table = "inbox"
# days = 90
# event = "charge.succeeded"
# age = "arrival"
# [[retention.rows]]                  # no event makes such a row: needs writer_env = "VARIABLE" with a database's URL
# table = "operations"
# days = 90
# values = {{ id = "op_{{id}}", status = "done", created_at = "{{time}}" }}

# [budget]
# search_seconds = 600                # for each search of all stores, logs or files

# How the database is made to refuse, and to work again, for the scenarios of error handling; also hold = [...].
# [store_outage]
# down = ["docker", "compose", "pause", "database"]
# up = ["docker", "compose", "unpause", "database"]

# [fuzzing]
# effort = 20                 # so many times as many made-up requests as usual

[contract]
rejected = {rejected}       # statuses that mean "rejected"
answer_within = 10.0        # seconds
# without_store = [503]     # statuses that say: nothing can be kept now
effect_within = 5.0         # seconds until an accepted event has its effect
# sdk = "python"            # the Stripe library that verifies signatures; what it does not do becomes advice

# [[contract.keeps]]                  # a column that looks as if it held payment data
# table = "customers"
# column = "card_last4"
# reason = "shown to the customer beside the subscription"

# [contract.rejection_record]        # how a JSON log line tells of a rejected delivery
# match = {{ event = "webhook_rejected" }}
# cause = "cause"
# time = "timestamp"
# origin = "origin"
# result = "result"

# What the target asks of Stripe, and what it does when Stripe fails. Payproof stands in for Stripe at [upstream] url,
# which the target takes as the base of Stripe's API. Without these tables such cases are skipped.
# [upstream]
# url = "http://127.0.0.1:12111"      # with https:// and folder = "payproof-ca" the target trusts payproof-ca/ca.pem
# backend = "double"                  # or "stripe-mock", or "stripe" (its test mode, with key_env = "STRIPE_TEST_KEY")
# [upstream.prices.price_team]        # what the target has in its configuration, for the double
# amount = 1000
# [principals.manager]
# credential_env = "BILLING_TOKEN"    # sent as "Authorization: Bearer ..."
# [operations.create_customer]        # also: subscribe, pay, change_plan, cancel, resume, refund, checkout, portal
# request = "POST /customers"
# as = "manager"
# calls = "POST /v1/customers"
# keep = {{ customer = "id" }}          # for {{customer}} in what comes after
# [operations.subscribe]
# request = "POST /subscriptions"
# as = "manager"
# body = {{ customer_id = "{{customer}}", price_id = "price_team" }}
# calls = "POST /v1/subscriptions"
# after = ["create_customer"]
# [contract.operations]
# declined = [402]                    # statuses; also refused, misconfigured, unavailable, pending
# reference = "error.reference"       # where an answer names what leads to the log
# breaker_after = 5                   # failures in a row after which Stripe is left alone for breaker_rest seconds
"""
