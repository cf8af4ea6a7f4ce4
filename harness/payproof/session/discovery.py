"""Looks at a service and writes the target file that a first run needs, with what it found and what it could not know.

What it looks at: the service by requests, the project in the folder that it is called in, and, where the service runs
on this machine, the databases and logs beside it.
"""

import asyncio
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args
from urllib.parse import urlsplit

import tomlkit

from payproof.adapters.http import HttpSender
from payproof.canary import Ledger
from payproof.domain.sensitive import Secret
from payproof.domain.subject import PREFIXES
from payproof.domain.target import LOOPBACK, Budget, Framework, Target
from payproof.errors import ConfigurationError, PayproofError
from payproof.language import read_target, target_schema
from payproof.registry import log_sources
from payproof.reporters.phrasing import printable
from payproof.session.delivery import loose_target
from payproof.session.event_factory import event_factory
from payproof.session.local_sources import LocalStore, find_logs, find_stores, measure_logs
from payproof.session.openapi_operations import propose_operations
from payproof.session.pinning import write_beside
from payproof.session.project_files import Project, read_project
from payproof.session.recognition import LANGUAGES, Recognised, complete, recognise
from payproof.session.run import open_tables
from payproof.session.subjects import Candidate, find_candidates
from payproof.session.webhook_search import WebhookFound, WebhookSearch
from payproof.stripe.routes import CUSTOMARY_PATHS

__all__ = ["Looked", "Wishes", "write_target_file"]

#: Read as JSON it may take 35 times as much memory.
_DOCUMENT_BYTES = 8 * 1024 * 1024
_LOOK_SECONDS = 60.0
_MOST_LOGS = 3
#: Beside the target file, and kept with it: an editor finds it without a network, on any machine, in this version.
_SCHEMA = "payproof.schema.json"
_BLOCK = re.compile(r"^#<(\w+)>\n(.*?)^#</\1>\n", re.DOTALL | re.MULTILINE)
_API_KEYS = ("STRIPE_API_KEY", "STRIPE_SECRET_KEY", "STRIPE_SECRET")
_BASES = ("STRIPE_API_BASE", "STRIPE_API_BASE_URL", "STRIPE_API_URL", "STRIPE_BASE_URL")
_KINDS = {prefix: name for name, prefix in PREFIXES.items()}
_REJECTED = frozenset({400, 401, 403})
_TEST_KEYS = ("sk_test_", "rk_test_")
#: Stands for the secret where a file is read only to open the stores that it names.
_NO_SECRET = "whsec_" + "0" * 32


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a user says beside the URL: the webhook's place, stores, logs, and the folder of the project."""

    webhook: str = ""
    stores: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    project: Path = Path()
    ca_file: str | None = None
    secret_env: str = "STRIPE_WEBHOOK_SECRET"  # noqa: S105 (a variable's name)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look has brought, a line each, and whether the webhook is among it."""

    lines: tuple[str, ...]
    is_found: bool


@dataclass(frozen=True, slots=True)
class _Discovery:
    """What was found by requests and in files; ``unread`` says why the stores could not be opened."""

    target: Target
    search: WebhookSearch
    webhook: WebhookFound | None
    project: Project
    made_of: Recognised
    stores: tuple[LocalStore, ...] = ()
    logs: tuple[str, ...] = ()
    subject: tuple[Candidate, ...] = ()
    unread: str = ""

    @property
    def is_local(self) -> bool:
        """Whether the service runs on this machine, so that what lies beside the work may be its own."""
        return self.target.is_local


def write_target_file(url: str, output: Path, wishes: Wishes, environment: Mapping[str, str] = os.environ) -> Looked:
    """Look at a service, write its target file, and return what was found.

    The service gets requests for its OpenAPI document, and unsigned empty deliveries, for no more than 60 seconds.

    Raises:
        ConfigurationError: a URL that is not sent to, or a file that cannot be written.
        InconclusiveError: the host gives no answer.
    """
    base = loose_target(url, secret=Secret("none", ""), ca_file=wishes.ca_file)
    target = base
    if wishes.webhook:
        place = base.url + wishes.webhook if wishes.webhook.startswith("/") else wishes.webhook
        target = loose_target(place, secret=Secret("none", ""), ca_file=wishes.ca_file)
        if target.url != base.url:
            raise ConfigurationError(f"the webhook is at {target.url}, not at {base.url}", hint="give one host")
    target = replace(target, budget=Budget(answer_bytes=_DOCUMENT_BYTES, evidence_characters=_DOCUMENT_BYTES))
    logs = measure_logs(wishes.project) if target.is_local else {}
    search, webhook = asyncio.run(_look(target, named=target.webhook.path != "/"))
    project = read_project(wishes.project)
    made_of = complete(recognise(search.answers, search.openapi), project)
    found = _Discovery(target, search, webhook, project, made_of)
    found = _add_sources(found, wishes, output.parent, logs, environment)
    found = _try_sources(found, wishes, output, environment)
    write_beside(output, _write_text(found, wishes, environment))
    write_beside(output.with_name(_SCHEMA), json.dumps(target_schema(), indent=2) + "\n")
    return Looked(tuple(_describe(found)), is_found=webhook is not None)


async def _look(target: Target, *, named: bool) -> tuple[WebhookSearch, WebhookFound | None]:
    sender = HttpSender(target, Ledger())
    try:
        search = WebhookSearch(sender, target.url, _LOOK_SECONDS)
        return search, await search.find(target.webhook.path, named=named)
    finally:
        await sender.close()


def _add_sources(
    found: _Discovery, wishes: Wishes, beside: Path, before: Mapping[Path, int], environment: Mapping[str, str]
) -> _Discovery:
    """Add the stores and logs that were named, else those that show themselves where the service is a local one."""
    stores = [_name_store(one, environment) for one in wishes.stores]
    logs = [one if ":" in one else f"file:{one}" for one in wishes.logs]
    if found.is_local:
        stores = stores or find_stores(wishes.project, beside, environment)[:1]
        logs = logs or find_logs(wishes.project, beside, before, found.search.token)[:_MOST_LOGS]
    return replace(found, stores=tuple(stores), logs=tuple(logs))


def _name_store(named: str, environment: Mapping[str, str]) -> LocalStore:
    """Return a store that somebody names: by its URL, by a variable that holds one, or as a file of SQLite."""
    if ":" in named:
        return LocalStore(named)
    return LocalStore(variable=named) if named in environment else LocalStore(f"sqlite:{named}")


def _try_sources(found: _Discovery, wishes: Wishes, output: Path, environment: Mapping[str, str]) -> _Discovery:
    """Open stores and logs as a run would, and look for whom events may be about; or say why they cannot be opened.

    What was named must be there; what showed itself is left out where it cannot be opened.
    """
    if not found.stores and not found.logs:
        return found
    draft = output.with_name(f".{output.name}.draft")
    try:
        write_beside(draft, _write_text(found, wishes, environment))
        target = read_target(draft, {**environment, wishes.secret_env: _NO_SECRET})
        for spec in target.logs:
            log_sources()[spec.url.partition(":")[0]](spec)
        return replace(found, subject=tuple(find_candidates(target, open_tables)))
    except PayproofError as error:
        if wishes.stores or wishes.logs:
            raise
        return replace(found, stores=(), unread=printable(str(error).replace(str(draft), "it"))[:200])
    finally:
        draft.unlink(missing_ok=True)


def _describe(found: _Discovery) -> Iterator[str]:
    """Yield what was found, a line each."""
    hook, project = found.webhook, found.project
    yield f"webhook   {hook.path}: {hook.told}" if hook else "webhook   not found: put its path into [webhook]"
    yield from (
        f"          its route is {printable(hint)}: give --webhook with the values" for hint in found.search.hints
    )
    if found.search.document:
        yield f"openapi   {found.search.document}"
    made_of = found.made_of
    if made_of.framework:
        yield f"framework {made_of.framework} (by {made_of.framework_by})"
    if made_of.sdk:
        yield f"sdk       Stripe's library for {made_of.sdk} (by {made_of.sdk_by})"
    if project.files and not (made_of.framework or made_of.sdk):
        yield f"project   neither a framework nor a Stripe library (by {', '.join(project.files)})"
    for store in found.stores:
        yield f"store     {store.url or f'the database that {store.variable} names'}"
    if found.unread:
        yield f"store     left out: {found.unread}"
    yield from (f"log       {one}" for one in found.logs)
    if found.subject:
        yield f"subject   {found.subject[0].id}, from {found.subject[0].column}"


def _write_text(found: _Discovery, wishes: Wishes, environment: Mapping[str, str]) -> str:
    """Return the file: the template with what was found; the library quotes what others have named."""
    upstream = _write_upstream(environment)
    blocks = {
        "ca_file": _write_keys({"ca_file": found.target.ca_file}),
        "api_key": _write_keys({"api_key_env": _find_api_key(environment)}),
        "openapi": _write_keys({"openapi": found.search.document}),
        "subject": _write_subject(found),
        "stores": _write_sources(
            "stores", "database", [{"url": one.url, "url_env": one.variable} for one in found.stores]
        ),
        "logs": _write_sources("logs", "service", [{"url": url} for url in found.logs]),
        "process": _write_process(found),
        "sdk": _write_sdk(found.made_of),
        "framework": _write_framework(found.made_of),
        "upstream": upstream,
        "operations": "".join(_write_operations(found, upstream)),
    }
    template = (files("payproof.session") / "target_template.toml").read_text(encoding="utf-8")
    text = _BLOCK.sub(lambda block: blocks[block[1]] or block[2], template)
    content = tomlkit.parse(text)
    content["name"], content["url"] = found.target.name, found.target.url
    if found.is_local:
        content["environment"] = "local"
    hook: Any = content["webhook"]
    contract: Any = content["contract"]
    path, told = (CUSTOMARY_PATHS[0], "NOT FOUND: put the right path here")
    if found.webhook is not None:
        path, told = found.webhook.path, found.webhook.told
    hook["path"] = tomlkit.string(path).comment(told)
    hook["secret_env"] = wishes.secret_env
    hook["api_version"] = event_factory(0).versions()[-1]
    if found.webhook is not None and found.webhook.status in _REJECTED:
        contract["rejected"] = [found.webhook.status]
    return f"{_write_head(found, wishes)}\n{tomlkit.dumps(content)}"


def _write_head(found: _Discovery, wishes: Wishes) -> str:
    search = found.search
    looked = f"{search.tried} requests"
    looked += "" if search.in_time else f", all that {search.seconds:g} seconds had time for,"
    documented = f"OpenAPI document at {search.document}" if search.document else "no OpenAPI document found"
    lines = [
        f"Target file for payproof, written from {looked} to {found.target.url} ({documented}).",
        "Check each line, fill in what could not be found, then run beside this file:",
        f"  {wishes.secret_env}=whsec_... payproof run",
        *(f"The webhook's route is {hint}: put the values into its path." for hint in search.hints),
    ]
    return f"#:schema ./{_SCHEMA}\n" + "".join(f"# {printable(line)}\n" for line in lines)


def _quote(value: Any) -> str:
    return str(tomlkit.item(value).as_string())


def _write_keys(keys: Mapping[str, Any]) -> str:
    """Return lines of a table; nothing for what is empty."""
    return "".join(f"{key} = {_quote(value)}\n" for key, value in keys.items() if value)


def _write_framework(made_of: Recognised) -> str:
    """Return the line of the framework, with what it is known from; nothing for one that has no words of ours."""
    if made_of.framework not in get_args(Framework) or not made_of.framework:
        return ""
    return f"framework = {_quote(made_of.framework)}   # by {printable(made_of.framework_by)}\n"


def _write_sdk(made_of: Recognised) -> str:
    """Return the line of the library, with what it is known from; a comment where only its language is known."""
    if made_of.sdk:
        return f"sdk = {_quote(made_of.sdk)}   # by {printable(made_of.sdk_by)}\n"
    if guessed := LANGUAGES.get(made_of.framework, ""):
        return f"# sdk = {_quote(guessed)}   # where Stripe's library verifies: what it does not do becomes advice\n"
    return ""


def _comment_out(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.splitlines())


def _write_subject(found: _Discovery) -> str:
    """Return the table with the first candidate and what its row names, and the others as comments."""
    if not found.subject:
        return ""
    first, *others = found.subject
    keys = {first.id: first.column, **first.beside}
    named = {_KINDS[id_.partition("_")[0]]: (id_, column) for id_, column in reversed(keys.items())}
    lines = [f"{kind} = {_quote(id_)}   # from {column}" for kind, (id_, column) in named.items()]
    lines += [
        f"# {_KINDS[one.prefix]} = {_quote(one.id)}   # from {one.column}" for one in others if one.id not in keys
    ]
    return "\n".join(["[subject]", *map(printable, lines), '# metadata = { user_id = "17" }', ""])


def _write_sources(kind: str, name: str, sources: Iterable[Mapping[str, str]]) -> str:
    """Return a table for each source, with names that are told apart by numbers."""
    named = ({"name": f"{name}{number or ''}", **one} for number, one in enumerate(sources))
    return "\n".join(f"[[{kind}]]\n{_write_keys(one)}" for one in named)


def _write_process(found: _Discovery) -> str:
    """Return how the project starts, as a comment: a second instance is started only where somebody wants it."""
    if not found.project.start:
        return ""
    keys = {
        "start": list(found.project.start),
        "port_variable": "PORT",
        "secret_variable": "STRIPE_WEBHOOK_SECRET",
        "api_key_variable": "STRIPE_SECRET_KEY",
    }
    return _comment_out(f"[process]\n{_write_keys(keys)}")


def _find_api_key(environment: Mapping[str, str]) -> str:
    """Return the variable that holds a test key of Stripe's API, if there is one."""
    return next((name for name in _API_KEYS if environment.get(name, "").startswith(_TEST_KEYS)), "")


def _write_upstream(environment: Mapping[str, str]) -> str:
    """Return the upstream, where a variable names a place on this machine as the base of Stripe's API."""
    for name in _BASES:
        parts = urlsplit(environment.get(name, ""))
        if parts.scheme == "http" and parts.hostname in LOOPBACK and parts.port:
            return f"[upstream]\n{_write_keys({'url': f'http://{parts.netloc}'})}".rstrip() + f"   # as {name} says\n"
    return ""


def _write_operations(found: _Discovery, upstream: str) -> Iterator[str]:
    """Yield the operations that the OpenAPI document seems to offer, as comments where something is unknown."""
    for one in propose_operations(found.search.openapi):
        missing = [*one.missing, *(() if upstream else ("[upstream]",))]
        lines = "".join(f"{key} = {_write_inline(value)}\n" for key, value in one.table.items())
        text = f"[operations.{one.name}]\n{lines}"
        yield f"{_comment_out(text)}# missing: {printable('; '.join(missing))}\n" if missing else text


def _write_inline(value: Any) -> str:
    if not isinstance(value, Mapping):
        return _quote(value)
    table = tomlkit.inline_table()
    table.update(value)
    return table.as_string()
