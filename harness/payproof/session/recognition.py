"""Recognises a service's framework and Stripe library by what it answers: pure, by one table of signs.

A sign is a form of an answer that a framework gives by itself, where no code of the application stands behind it: for a
path that there is not, for a method that a path does not take, for a body that cannot be read. The samples that hold
the table are answers of the real frameworks, in ``fixtures/corpora/error_pages`` and beside the tests.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from payproof.domain.observation import Answer
from payproof.session.project_files import Project

__all__ = ["LANGUAGES", "Recognised", "complete", "recognise"]

_MOST_CHARACTERS = 65_536

#: The Stripe library of the language that a framework is written in.
LANGUAGES: Mapping[str, str] = {
    "flask": "python",
    "django": "python",
    "fastapi": "python",
    "express": "node",
    "nextjs": "node",
    "hono": "node",
    "rails": "ruby",
    "laravel": "php",
    "spring": "java",
    "net_http": "go",
}


@dataclass(frozen=True, slots=True)
class Recognised:
    """A framework, a Stripe library, each with what it is known from; empty where nothing tells."""

    framework: str = ""
    framework_by: str = ""
    sdk: str = ""
    sdk_by: str = ""


@dataclass(frozen=True, slots=True)
class _Sign:
    """A form of an answer, as its head in lower case and its body, and which framework or library gives it.

    ``shown`` tells a person where it was seen.
    """

    name: str
    shown: str
    head: re.Pattern[str] = field(default_factory=lambda: re.compile(""))
    body: re.Pattern[str] = field(default_factory=lambda: re.compile(""))


def _sign(name: str, shown: str, *, head: str = "", body: str = "") -> _Sign:
    return _Sign(name, shown, re.compile(head, re.MULTILINE), re.compile(body, re.DOTALL))


_TEXT, _JSON, _HTML = r"^content-type: text/plain", r"^content-type: application/json", r"^content-type: text/html"
_MISSING = r"\A404\n(?s:.*)"

# What is built on another framework comes before that one.
_FRAMEWORKS = (
    _sign("nextjs", "the header X-Powered-By: Next.js", head=r"^x-powered-by: next\.js$"),
    _sign("nextjs", "the places of its scripts", head=_HTML, body=r"(?:src|href)=\"/_next/static/"),
    _sign(
        "nestjs",
        "the form of its errors",
        head=_JSON + r"(?s:.*)^x-powered-by: express$",
        body=r'\A\{(?=.*"message":).*"statusCode":\d{3}',
    ),
    _sign("express", "the header X-Powered-By: Express", head=r"^x-powered-by: express$"),
    _sign("express", "its page for what is missing", head=_HTML, body=r"<pre>Cannot (?:GET|POST) /[^<]*</pre>"),
    _sign("hono", "its answer for what is missing", head=_MISSING + _TEXT, body=r"\A404 Not Found\Z"),
    _sign("net_http", "its answer for what is missing", head=_MISSING + _TEXT, body=r"\A404 page not found\s*\Z"),
    _sign(
        "fastapi",
        "its answer for what is missing",
        head=r"\A(?:404|405)\n(?s:.*)" + _JSON,
        body=r'\A\{"detail":"(?:Not Found|Method Not Allowed)"\}\Z',
    ),
    _sign(
        "fastapi",
        "the form of its objections",
        head=r"\A422\n(?s:.*)" + _JSON,
        body=r'\A\{"detail":\[\{"type":"\w+","loc":\["(?:body|query|header|path)"',
    ),
    _sign("flask", "the header Server: Werkzeug", head=r"^server: werkzeug/"),
    _sign(
        "flask",
        "its page for what is missing",
        head=_HTML,
        body=r"<title>404 Not Found</title>\s*<h1>Not Found</h1>\s*<p>The requested URL was not found on the server\.",
    ),
    _sign(
        "flask",
        "its page for a wrong method",
        head=_HTML,
        body=r"<p>The method is not allowed for the requested URL\.</p>",
    ),
    _sign(
        "django",
        "its page for what is missing",
        head=_HTML,
        body=r"<h1>Not Found</h1>\s*<p>The requested resource was not found on this server\.</p>",
    ),
    _sign("django", "its debug page", head=_HTML, body=r"<code>DEBUG = True</code>|Using the URLconf defined in"),
    _sign("django", "its page about CSRF", head=_HTML, body=r"CSRF verification failed\. Request aborted\."),
    _sign("django", "the cookie csrftoken", head=r"^set-cookie: csrftoken="),
    _sign("spring", "its Whitelabel page", head=_HTML, body=r"<h1>Whitelabel Error Page</h1>"),
    _sign(
        "spring",
        "the form of its errors",
        head=_JSON,
        body=r'\A\{"timestamp":"[^"]+","status":\d{3},"error":"[^"]+",.*"path":"/[^"]*"\}\Z',
    ),
    _sign("rails", "the headers X-Runtime and X-Request-Id", head=r"(?s)^x-request-id: .*^x-runtime: \d+\.\d+$"),
    _sign("rails", "its page for what is missing", head=_HTML, body=r"<title>The page you were looking for doesn.t e"),
    _sign("laravel", "the cookie laravel_session", head=r"^set-cookie: laravel[-_]session="),
    _sign(
        "laravel",
        "its answer for what is missing",
        head=_JSON,
        body=r'"message":\s*"The route \S+ could not be found\.',
    ),
    _sign(
        "laravel",
        "its page for what is missing",
        head=_HTML,
        body=r'text-gray-500 border-r border-gray-400 tracking-wider">\s*40\d\s*<',
    ),
)
# What the libraries say of a signature, where an application passes that on. stripe-python, stripe-ruby, stripe-php and
# stripe-java use the same words; the framework tells them apart.
_SHARED_WORDS = "python, ruby, php, java"
_OF_SIGNATURES = "its words about a signature"
_LIBRARIES = (
    _sign("node", _OF_SIGNATURES, body=r"Are you passing the raw request body you received from Stripe"),
    _sign("node", "its words about a missing header", body=r"No stripe-signature header value was provided"),
    _sign("go", _OF_SIGNATURES, body=r"webhook (?:has no|has invalid|had no valid) (?:Stripe-S|s)ignature"),
    _sign("dotnet", _OF_SIGNATURES, body=r"The signature for the webhook is not present in the Stripe-S"),
    _sign(_SHARED_WORDS, _OF_SIGNATURES, body=r"Unable to extract timestamp and signatures from header"),
    _sign(_SHARED_WORDS, _OF_SIGNATURES, body=r"No signatures found matching the expected signature"),
)


def recognise(answers: Iterable[Answer], openapi: Mapping[str, Any] | None = None) -> Recognised:
    """Return the framework and the Stripe library of whoever gave the answers and, where there is one, the document."""
    shown = [(_write_head(one), one.body[:_MOST_CHARACTERS]) for one in answers]
    framework, framework_by = _find(_FRAMEWORKS, shown)
    if not framework and openapi and _is_made_by_fastapi(openapi):
        framework, framework_by = "fastapi", "the schemas of its OpenAPI document"
    sdk, sdk_by = _find(_LIBRARIES, shown)
    if sdk == _SHARED_WORDS:
        sdk = LANGUAGES.get(framework, "")
        sdk = sdk if sdk in _SHARED_WORDS else ""
    return Recognised(framework, framework_by, sdk, sdk_by if sdk else "")


def complete(found: Recognised, project: Project) -> Recognised:
    """Return what answers tell, and what they do not tell by the files of the service's project.

    Of the library the files know better: what verifies is a dependency, whatever words reach the outside.
    """
    files = ", ".join(project.files)
    if not found.framework and project.framework:
        found = replace(found, framework=project.framework, framework_by=files)
    if project.sdk:
        found = replace(found, sdk=project.sdk, sdk_by=files)
    return found


def _find(signs: Iterable[_Sign], shown: Iterable[tuple[str, str]]) -> tuple[str, str]:
    answers = tuple(shown)
    for one in signs:
        if any(one.head.search(head) and one.body.search(body) for head, body in answers):
            return one.name, one.shown
    return "", ""


def _write_head(answer: Answer) -> str:
    """Return status and headers, a line each and in order of their names, in lower case."""
    lines = sorted(f"{name.lower()}: {value.lower()}" for name, value in answer.headers)
    return "\n".join([str(answer.status), *lines])


def _is_made_by_fastapi(document: Mapping[str, Any]) -> bool:
    """Whether a document has the schema by which FastAPI describes its own objections."""
    components = document.get("components")
    schemas = components.get("schemas") if isinstance(components, Mapping) else None
    return isinstance(schemas, Mapping) and {"HTTPValidationError", "ValidationError"} <= schemas.keys()
