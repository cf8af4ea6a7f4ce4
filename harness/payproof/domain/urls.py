"""Request targets and URLs: the one place where they are made, of a base, a path, a query and a shape; pure.

A request target is a path with, maybe, a query, as it goes on the wire. Nothing here decodes or encodes anew what is
encoded already: a target reads other bytes differently, and that is what is tried out.
"""

import re
from collections.abc import Callable, Iterator
from typing import Literal
from urllib.parse import urljoin, urlsplit

__all__ = [
    "Shape",
    "ShapeError",
    "aliases",
    "below",
    "nowhere",
    "path_of",
    "quote_path",
    "resolve_redirect",
    "shape_path",
    "target_on_host",
    "url_of",
    "with_query",
]

#: How the webhook's place may be written otherwise.
Shape = Literal["upper_case", "double_slash", "dot_segments", "encoded_slash", "trailing_slash"]

_ESCAPE = re.compile(r"(%[0-9A-Fa-f]{2})")
_JOINERS = re.compile(r"%2[Ff]|[-_./:]")


class ShapeError(ValueError):
    """A place that cannot be written in a shape; the text says why."""


def quote_path(text: str) -> str:
    """Return a request target in which all that cannot stand on a request line is percent-encoded, and nothing else."""
    return "".join(c if "!" <= c <= "~" and c != "#" else "".join(f"%{b:02X}" for b in _bytes(c)) for c in text)


def _bytes(character: str) -> bytes:
    return character.encode("utf-8", "surrogatepass")


def url_of(base: str, target: str) -> str:
    """Return the URL of a request target below a base such as ``https://host`` or ``https://host/app/``."""
    return base.rstrip("/") + quote_path(target)


def path_of(target: str) -> str:
    """Return the path of a request target."""
    return target.partition("?")[0]


def with_query(target: str, *queries: str) -> str:
    """Return a request target with further parameters behind those that it has."""
    more = "&".join(query for query in queries if query)
    if not more:
        return target
    path, mark, own = target.partition("?")
    return f"{path}{mark or '?'}{own}{'&' if own and not own.endswith('&') else ''}{more}"


def resolve_redirect(url: str, location: str) -> str | None:
    """Return the URL that a ``Location`` means, or None where it is none."""
    try:
        there = urlsplit(urljoin(url, location))
        _ = there.port
    except ValueError:
        return None
    return there._replace(path=there.path or "/", fragment="").geturl()


def target_on_host(url: str, location: str) -> str | None:
    """Return the request target that a ``Location`` means, or None where it is on another host or is none."""
    there = resolve_redirect(url, location)
    if there is None or urlsplit(there).netloc != urlsplit(url).netloc:
        return None
    return "/" + there.split("/", 3)[3]


def shape_path(target: str, shape: Shape) -> tuple[str, ...]:
    """Return the places of a shape, each different from the target; a query stays as it is but for its case.

    Raises:
        ShapeError: the target has no such shape.
    """
    path, mark, query = target.partition("?")
    rest = mark + query
    match shape:
        case "upper_case":
            upper = [_upper(path) + rest, *_in_each_value(target, lambda value, _: _upper(value))]
            found = tuple(dict.fromkeys(one for one in upper if one != target))
            if not found:
                raise ShapeError(f"the path {target} has no letter in lower case")
            return found
        case "double_slash":
            return (f"/{path}{rest}",)
        case "dot_segments":
            return (f"/payproof/..{path}{rest}",)
        case "encoded_slash":
            bare = path.rstrip("/")
            head, _, last = bare.rpartition("/")
            if not head.strip("/"):
                raise ShapeError(f"the path {path} has no slash between two segments that could be encoded")
            return (f"{head}%2F{last}{path[len(bare) :]}{rest}",)
        case "trailing_slash":
            if not path.strip("/"):
                raise ShapeError(f"the path {path} is a slash alone")
            return (f"{path.rstrip('/') if path.endswith('/') else path + '/'}{rest}",)


def aliases(target: str, word: str) -> tuple[str, ...]:
    """Return where a forgotten twin of a route would be: below its path, and beside each value of its query."""

    def beside(value: str, joiner: str) -> str:
        return f"{value}{joiner}{word}"

    return tuple(dict.fromkeys((below(target, word), *_in_each_value(target, beside))))


def below(target: str, segment: str) -> str:
    """Return the place of one segment more in the path."""
    path, mark, query = target.partition("?")
    return f"{path.rstrip('/')}/{segment}{mark}{query}"


def nowhere(target: str, place: str, name: str) -> str:
    """Return a place like another one, under a made-up name that no route has.

    Where the place differs from the target in its path, its last segment is made up, and else the value of its query.
    """
    path, mark, query = place.partition("?")
    if path != path_of(target):
        bare = path.rstrip("/")
        return f"{bare[: bare.rfind('/')]}/{name}{path[len(bare) :]}{mark}{query}"
    own = dict(enumerate(target.partition("?")[2].split("&")))
    changed = (
        one if own.get(index) == one else f"{one.partition('=')[0]}={name}" if "=" in one else name
        for index, one in enumerate(query.split("&"))
    )
    return path + mark + "&".join(changed)


def _in_each_value(target: str, change: Callable[[str, str], str]) -> Iterator[str]:
    """Yield a target with one value of its query changed, each in turn, by each way to join words that it has."""
    path, _, query = target.partition("?")
    parameters = query.split("&") if query else []
    for index, parameter in enumerate(parameters):
        name, equals, value = parameter.partition("=")
        text = value if equals else name
        for joiner in dict.fromkeys(_JOINERS.findall(text)) or ["_" if text else ""]:
            new = change(text, joiner)
            changed = f"{name}={new}" if equals else new
            yield f"{path}?{'&'.join([*parameters[:index], changed, *parameters[index + 1 :]])}"


def _upper(text: str) -> str:
    """Return a text in upper case, escapes as they are."""
    return "".join(part if _ESCAPE.fullmatch(part) else part.upper() for part in _ESCAPE.split(text))
