"""What makes frameworks show stack traces, SQL, templates, paths of files and internal addresses; pure."""

import json
import re
from collections.abc import Iterator
from typing import Literal
from urllib.parse import quote

from payproof.domain.urls import below, with_query

__all__ = ["Kind", "Odd", "addresses", "fill_path", "provocations"]

Kind = Literal["types", "templates", "sql", "paths", "pages"]
#: A request target, headers and a body.
Odd = tuple[str, tuple[tuple[bytes, bytes], ...], bytes]

_HOLE = re.compile(r"\{[^}/]*\}")
_JSON = (b"Content-Type", b"application/json")
_TYPES = (
    b"{", b"[]", b"null", b"0", b'""', b"[[[[[[{}]]]]]]", b'{"customer": {}, "amount": [], "id": null}', b"{} {}",
    b'{"amount": 1e999, "id": -99999999999999999999999}', b'{"id": "\\ud800\\u0000"}', b"\xff\xfe\x00{",
    b'{"$ref": "#", "__proto__": {"a": 1}, "constructor": 1}',
)  # fmt: skip
_BODY_TYPES = (
    "application/json; charset=utf-99", "application/x-www-form-urlencoded", "multipart/form-data",
    "text/xml", "application/x-yaml", "application/x-java-serialized-object", "*", "",
)  # fmt: skip
_QUERIES = (
    "limit=99999999999999999999", "limit=-1", "limit=NaN", "limit[]=1", "limit=", "page=1e309", "offset=%00",
    "sort=%ff",
    "from=0000-00-00&to=9999-99-99T99:99:99Z", "starting_after=1&starting_after=2", "filter=%7B", "fields=__class__",
)  # fmt: skip
_TEMPLATES = (
    "{{%s}}",
    "${%s}",
    "#{%s}",
    "<%%= %s %%>",
    "{%% print(%s) %%}",
    "*{%s}",
    "@(%s)",
    "[[${%s}]]",
    "{php}echo %s;{/php}",
)
_SQL = (
    "'",
    '"',
    "1'--",
    "1;SELECT",
    "' OR '1'='1",
    "\\",
    "1 AND 1=CONVERT(int,@@version)",
    "%27%22%60",
    "-1e309",
    "\x00",
)
_PATHS = (
    "../../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/", "....//....//",
    "..\\..\\windows\\win.ini",
    "%00", "file:///etc/passwd", "/proc/self/environ", "a" * 4000, "%c0%ae%c0%ae/", "~root", ".php", "CON",
)  # fmt: skip
_SWITCHES = (
    "debug=1", "debug=true&trace=true&verbose=1", "XDEBUG_SESSION_START=1",
    "__debugger__=yes&cmd=resource&f=debugger.js",
    "_profiler=1", "error_trace=true&pretty", "wsdl", "format=html", "_method=TRACE",
)  # fmt: skip
_BROWSER = (b"Accept", b"text/html,application/xhtml+xml;q=0.9,*/*;q=0.1")
_SWITCH_HEADERS = (
    (b"X-Debug", b"1"), (b"Cookie", b"XDEBUG_SESSION=payproof; debug=1"), (b"X-Forwarded-Host", b"payproof.invalid:1"),
    (b"X-HTTP-Method-Override", b"TRACE"), (b"Accept", b"payproof/payproof"), (b"Accept-Language", b"\xff"),
    (b"Range", b"bytes=9-1"), (b"X-Requested-With", b"XMLHttpRequest"),
)  # fmt: skip
_ADDRESSES = (
    "/.env", "/.git/config", "/.git/HEAD", "/.htaccess", "/_debugbar/open", "/_ignition/health-check", "/_profiler",
    "/_profiler/phpinfo", "/__debug__/", "/__inspect/", "/__webpack_hmr", "/actuator", "/actuator/env",
    "/actuator/heapdump", "/actuator/mappings", "/admin/", "/api-docs", "/app_dev.php", "/backup.sql", "/config.json",
    "/console", "/debug", "/debug/default/view", "/debug/pprof/", "/debug/vars", "/docker-compose.yml", "/docs",
    "/dump",
    "/elmah.axd", "/env", "/error", "/errors", "/graphiql", "/graphql", "/h2-console", "/info.php", "/jolokia", "/logs",
    "/manage/env", "/metrics", "/phpinfo.php", "/package.json", "/rails/info/properties", "/rails/info/routes",
    "/server-info", "/server-status", "/settings.py", "/status", "/swagger-ui.html", "/telescope", "/test", "/trace",
    "/trace.axd", "/web.config", "/wp-config.php", "/payproof-is-nowhere",
)  # fmt: skip


def fill_path(path: str, text: str = "payproof") -> str:
    """Return a path with a text in each place of an id."""
    return _HOLE.sub(lambda _: text, path)


def provocations(kind: Kind, method: str, path: str, product: str) -> Iterator[Odd]:
    """Yield what to send to one route; ``product`` is what templates are to work out, as ``a*b``."""
    match kind:
        case "types":
            yield from _types(fill_path(path))
        case "templates":
            for template in _TEMPLATES:
                yield from _everywhere(method, path, template % product)
        case "sql":
            for text in _SQL:
                yield from _everywhere(method, path, text)
        case "paths":
            for text in _PATHS:
                quoted = quote(text, safe="%./")
                inside = fill_path(path, quoted)
                yield inside if inside != path else below(path, quoted), (), b""
        case _:
            yield from _pages(fill_path(path))


def _types(target: str) -> Iterator[Odd]:
    for body in _TYPES:
        yield target, (_JSON,), body
    for query in _QUERIES:
        yield with_query(target, query), (), b""
    for type_ in _BODY_TYPES:
        yield target, ((b"Content-Type", type_.encode()),), b'{"id": 1}'


def _pages(target: str) -> Iterator[Odd]:
    for switch in _SWITCHES:
        yield with_query(target, switch), (_BROWSER,), b"{"
    for header in _SWITCH_HEADERS:
        yield target, (header, _JSON), b"{"


def addresses() -> Iterator[Odd]:
    """Yield requests for the pages that frameworks and servers have for their developers, as a browser asks."""
    yield from ((address, (_BROWSER,), b"") for address in _ADDRESSES)


def _everywhere(method: str, path: str, text: str) -> Iterator[Odd]:
    """Yield a text in the path, the query, a header, and where there is a body its keys and values."""
    quoted = quote(text, safe="")
    yield with_query(fill_path(path, quoted), f"id={quoted}&{quoted}=1"), ((b"X-Request-Id", quoted.encode()),), b""
    if method != "GET":
        body = {"id": text, "customer_id": text, "price_id": text, "name": text, text: text}
        yield fill_path(path), (_JSON,), json.dumps(body).encode()
