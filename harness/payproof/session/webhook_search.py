"""Finds where a service takes webhooks, from its base URL alone, by unsigned deliveries that nobody may apply.

A service that is not ours answers in many ways where there is nothing: with 404, with a page of its single-page
application, with a login. So each place is compared with a place beside it that no route has.
"""

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from payproof.adapters.http import HttpSender
from payproof.domain.documents import read_json
from payproof.domain.observation import ABSENT, REDIRECTS, Answer, NoAnswer
from payproof.domain.request import Request
from payproof.domain.urls import nowhere, path_of, quote_path, target_on_host, url_of
from payproof.errors import InconclusiveError, Reason
from payproof.stripe.deliveries import STRIPE_HEADERS
from payproof.stripe.forgery import SIGNATURE_HEADER
from payproof.stripe.routes import CUSTOMARY_PATHS

__all__ = ["WebhookFound", "WebhookSearch"]

_DOCUMENTS = (
    "/openapi.json",
    "/api/openapi.json",
    "/api/v1/openapi.json",
    "/swagger.json",
    "/v3/api-docs",
    "/swagger/v1/swagger.json",
    "/api-json",
)
_WEBHOOK = re.compile(r"stripe|web-?hook", re.IGNORECASE)
#: What keeps one path from being read, such as a redirect to a login page, and says nothing about the next.
_AT_ONE_PATH = frozenset({Reason.REDIRECT_ELSEWHERE, Reason.RESPONSE_TOO_LARGE, Reason.RESPONSE_UNREADABLE})
_MOST_LISTED = 20
#: What can be asked for as it stands, without a parameter.
_PLAIN_PATH = re.compile(r"/[!-z|~]{0,500}")
#: A route on the page that Django shows for a path that it does not know, when it is in debug mode.
_DEBUG_ROUTES = re.compile(r"<li>(.{1,2000}?)</li>", re.DOTALL)
_TAG = re.compile(r"<[^>]*>|\[name=[^\]]*\]")
_SUCCESS = range(200, 300)
_REFUSAL = range(400, 500)
_FAILURE = 500


@dataclass(frozen=True, slots=True)
class WebhookFound:
    """Where the webhook is, and what says so; ``rank`` is 0 for what refuses, more for what is less clear."""

    path: str
    status: int
    told: str
    rank: int = 0


@dataclass(slots=True)
class WebhookSearch:
    """A look at one service, for which requests are begun for ``seconds``.

    ``token`` stands in the places that it asks for and that no route has. What it finds beside the webhook: the OpenAPI
    ``document`` and what that says, as ``hints`` routes with parameters, and all that was answered.
    """

    sender: HttpSender
    url: str
    seconds: float
    token: str = field(default_factory=lambda: f"payproof-{secrets.token_hex(6)}")
    tried: int = 0
    in_time: bool = True
    document: str = ""
    openapi: Mapping[str, Any] = field(default_factory=dict)
    hints: tuple[str, ...] = ()
    answers: list[Answer] = field(default_factory=list)
    _until: float = 0.0
    _beside: dict[str, tuple[int, str]] = field(default_factory=dict)

    async def find(self, path: str, *, named: bool) -> WebhookFound | None:
        """Return where the webhook is: at ``path``, if somebody named it, else wherever it is found.

        Raises:
            InconclusiveError: the host gives no answer.
        """
        self._until = time.monotonic() + self.seconds
        await self._read_document()
        missing = await self._ask("GET", f"/{self.token}")
        if named:
            answer = await self._ask("POST", path)
            found = await self._classify(path, answer) or await self._follow(path, answer)
            return found or WebhookFound(path, answer.status, f"answered {answer.status} to an unsigned delivery", 4)
        listed = [*_list_routes(self.openapi), *self._list_debug_routes(missing)]
        best: WebhookFound | None = None
        own = [] if path == "/" else [path]
        for one in dict.fromkeys([*own, *listed[:_MOST_LISTED], *CUSTOMARY_PATHS, path]):
            if time.monotonic() > self._until:
                self.in_time = False
                break
            answer = await self._ask("POST", one)
            found = await self._classify(one, answer) or await self._follow(one, answer)
            if found is not None and (best is None or found.rank < best.rank):
                best = found
            if best is not None and best.rank == 0:
                break
        return best

    async def _ask(self, method: str, path: str, *more: tuple[bytes, bytes]) -> Answer:
        self.tried += 1
        headers = STRIPE_HEADERS if method == "POST" else ((b"Accept", b"application/json, text/html;q=0.9"),)
        body = b"{}" if method == "POST" else b""
        answer = (await self.sender.send(Request(method, path, (*headers, *more), body, "a look"), 0)).answer
        if isinstance(answer, NoAnswer):
            if answer.reason in _AT_ONE_PATH:
                return Answer(404, (), "", 0, answer.seconds)
            raise InconclusiveError(answer.reason, answer.detail)
        self.answers.append(answer)
        return answer

    async def _read_document(self) -> None:
        for path in _DOCUMENTS:
            if time.monotonic() > self._until:
                return
            content = _read_openapi(await self._ask("GET", path))
            if content is not None:
                self.document, self.openapi = path, content
                self.answers.pop()  # it may be large, and tells nothing more
                return

    def _list_debug_routes(self, missing: Answer) -> list[str]:
        """Return the routes that the page for what is missing names, where they can be asked for; others are hints."""
        if missing.status not in ABSENT:
            return []
        routes = []
        for one in _DEBUG_ROUTES.findall(missing.body):
            route = "/" + "".join(_TAG.sub("", one).replace("^", "").replace("$", "").split()).lstrip("/")
            if not _WEBHOOK.search(route):
                continue
            if "<" in route or "&lt;" in route:
                self.hints += (route.replace("&lt;", "<").replace("&gt;", ">"),)
            elif _PLAIN_PATH.fullmatch(route):
                routes.append(route)
        return routes

    async def _follow(self, path: str, answer: Answer) -> WebhookFound | None:
        """Return the webhook that a path leads to on the same host, such as the one with a slash at its end."""
        location = answer.header("location") if answer.status in REDIRECTS else None
        there = target_on_host(url_of(self.url, path), location) if location else None
        if there is None or path_of(there).strip("/") != path_of(path).strip("/"):
            return None
        found = await self._classify(there, await self._ask("POST", there))
        return None if found is None else replace(found, told=f"{path} leads there; {found.told}")

    async def _classify(self, path: str, answer: Answer) -> WebhookFound | None:
        """Return that a path is, or may be, the webhook, where it answers otherwise than a place that nothing is at."""
        if answer.status in ABSENT | REDIRECTS or answer.status < _SUCCESS.start:
            return None
        if _mask(answer, path) == await self._ask_beside(path):
            return None
        told = f"answered {answer.status} to an unsigned delivery"
        if answer.status in _REFUSAL:
            return WebhookFound(path, answer.status, told, 2 if _is_page(answer) else 0)
        wrong = (SIGNATURE_HEADER, f"t={int(time.time())},v1={secrets.token_hex(32)}".encode())
        signed = await self._ask("POST", path, wrong)
        if signed.status in _REFUSAL and signed.status not in ABSENT:
            return WebhookFound(path, signed.status, f"answered {signed.status} to a wrong signature")
        if answer.status >= _FAILURE or signed.status >= _FAILURE:
            return WebhookFound(path, max(answer.status, signed.status), f"{told}, as if it failed", 1)
        return WebhookFound(path, answer.status, f"{told}, and takes a wrong signature", 3)

    async def _ask_beside(self, path: str) -> tuple[int, str]:
        """Return what a place beside a path answers, at which there is nothing."""
        beside = f"/{self.token}" if path == "/" else nowhere("/", path, self.token)
        if beside not in self._beside:
            self._beside[beside] = _mask(await self._ask("POST", beside), beside)
        return self._beside[beside]


def _is_page(answer: Answer) -> bool:
    """Whether an answer is a page for people, such as that of a form which wants a token."""
    return (answer.header("content-type") or "").startswith("text/html") and "<html" in answer.body.lower()


def _mask(answer: Answer, path: str) -> tuple[int, str]:
    return answer.status, answer.body.replace(path_of(path), "*")


def _read_openapi(answer: Answer) -> Mapping[str, Any] | None:
    try:
        content: Any = read_json(answer.body)
    except ValueError:
        return None
    return content if isinstance(content, dict) and {"openapi", "swagger"} & content.keys() else None


def _list_routes(document: Mapping[str, Any]) -> list[str]:
    """Return the POST routes of an OpenAPI document that look like webhooks."""
    paths = document.get("paths")
    return [
        quote_path(path)
        for path, operations in (paths.items() if isinstance(paths, dict) else ())
        if isinstance(operations, dict) and "post" in operations
        if _WEBHOOK.search(path) and _PLAIN_PATH.fullmatch(path)
    ]
