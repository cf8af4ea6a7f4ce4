"""Asks a target and each of its sources whether they can be reached: what fails is told, and stops nothing."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field, replace

from payproof.adapters.http import HttpSender
from payproof.canary import Ledger
from payproof.domain.observation import ABSENT, REDIRECTS
from payproof.domain.source import Log
from payproof.domain.target import Budget, OpenApi, SourceSpec, Target
from payproof.engine.source_reads import find_position, read_lines, take_snapshot
from payproof.errors import PayproofError
from payproof.registry import log_sources, store_sources
from payproof.reporters.phrasing import name_some
from payproof.session.openapi import add_openapi
from payproof.session.upstream import open_upstream
from payproof.session.webhook_search import WebhookSearch

__all__ = ["Examined", "Look", "reach"]

_DOCUMENT_BYTES = 8 * 1024 * 1024
_LOOK_SECONDS = 20.0
_LINE_SECONDS = 0.3
_MOST_NAMED = 6
_ORDER = ("host", "webhook", "store", "log", "upstream", "openapi")


@dataclass(frozen=True, slots=True)
class Examined:
    """Something that was looked at, what was seen, and whether all is well with it."""

    name: str
    told: str
    is_well: bool = True


@dataclass(slots=True)
class Look:
    """What requests and sources have shown so far."""

    parts: list[Examined] = field(default_factory=list)
    search: WebhookSearch | None = None
    refusal: tuple[str, ...] = ()
    openapi: OpenApi | None = None

    def add(self, name: str, told: str, *, is_well: bool = True) -> None:
        """Take note of a part."""
        self.parts.append(Examined(name, told, is_well))


async def reach(target: Target, ledger: Ledger) -> Look:
    """Ask the host, the webhook, every source, and what the target file names beside."""
    look = Look()
    logs = [log for spec in target.logs if (log := await _open_log(spec, look)) is not None]
    positions = [(log, await find_position(log, _LOOK_SECONDS)) for log in logs]
    await _ask(target, ledger, look)
    await asyncio.sleep(_LINE_SECONDS if logs else 0)
    for log, position in positions:
        with suppress(PayproofError):
            gained = await read_lines(log, position, _LOOK_SECONDS)
            shown = (ledger.conceal(one.data, one.where)[0].decode("utf-8", "replace") for one in gained)
            look.refusal += tuple(shown)
        await log.close()
    for spec in target.stores:
        await _open_store(spec, look)
    _open_upstream(target, ledger, look)
    if target.openapi is not None:
        try:
            found = await add_openapi(target, ledger)
        except PayproofError as error:
            look.add("openapi", str(error), is_well=False)
        else:
            paths = ((found.openapi and found.openapi.document) or {}).get("paths", {})
            look.add("openapi", f"{target.openapi.place}: {len(paths)} paths")
    look.parts.sort(key=lambda part: _ORDER.index(part.name.partition(" ")[0]))
    return look


async def _ask(target: Target, ledger: Ledger, look: Look) -> None:
    """Ask the host for what it has not, and the webhook with deliveries that nobody may take."""
    large = Budget(answer_bytes=_DOCUMENT_BYTES, evidence_characters=_DOCUMENT_BYTES)
    sender = HttpSender(replace(target, budget=large), ledger)
    try:
        search = WebhookSearch(sender, target.url, _LOOK_SECONDS)
        found = await search.find(target.webhook.path, named=True)
        is_absent = found is None or found.status in ABSENT | REDIRECTS
        other = await search.find(target.webhook.path, named=False) if is_absent else None
    except PayproofError as error:
        look.add("host", f"{target.url}: {error}", is_well=False)
        return
    finally:
        await sender.close()
    look.search = search
    secure = target.url.startswith("https:")
    look.add("host", f"{target.url} answers" + (", and its certificate holds" if secure else ""))
    path = target.webhook.path
    if found is None or is_absent:
        answers = "" if found is None else f" answers {found.status}"
        hint = f"POST {other.path} {other.told}: is it that?" if other else "put the right path into [webhook]"
        look.add("webhook", f"POST {path}{answers}: there is none; {hint}", is_well=False)
    elif found.path != path:
        look.add("webhook", f"POST {path} leads to {found.path}: put that into [webhook] path", is_well=False)
    else:
        look.add("webhook", f"POST {path}: {found.told}")


async def _open_log(spec: SourceSpec, look: Look) -> Log | None:
    try:
        log = log_sources()[spec.url.partition(":")[0]](spec)
        await find_position(log, _LOOK_SECONDS)
    except PayproofError as error:
        look.add(f"log {spec.name}", str(error), is_well=False)
        return None
    look.add(f"log {spec.name}", "can be read")
    return log


async def _open_store(spec: SourceSpec, look: Look) -> None:
    try:
        store = store_sources()[spec.url.partition(":")[0]](spec)
        try:
            tables = (await take_snapshot(store, (), None, _LOOK_SECONDS)).tables
        finally:
            await store.close()
    except PayproofError as error:
        look.add(f"store {spec.name}", str(error), is_well=False)
    else:
        told = f"{len(tables)} tables can be read: {name_some(sorted(tables), _MOST_NAMED)}"
        look.add(f"store {spec.name}", told if tables else "it has no tables", is_well=bool(tables))


def _open_upstream(target: Target, ledger: Ledger, look: Look) -> None:
    if target.upstream is None:
        return
    try:
        with open_upstream(target.upstream, ledger=ledger, api_version=target.webhook.api_version, seed=0):
            look.add("upstream", f"{target.upstream.url} is free to listen at")
    except PayproofError as error:
        look.add("upstream", str(error), is_well=False)
