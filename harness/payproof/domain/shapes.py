"""Shapes of log lines, paths and file names: what is the same each time, without ids, numbers, times and values."""

import json
import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

__all__ = ["shorten_line", "shorten_name", "strip_ids"]

#: What stands in place of a value.
_HOLE = "<..>"
_LONGEST = 160
#: Characters of a line, and of what is left once its structures are out; hostile lines take no long time.
_MOST_READ, _MOST_LEFT = 8192, 2048

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
#: What the ledger has put in place of a sensitive value.
_CONCEALED = re.compile(r"\[[A-Za-z ]+: [^\]]*\]")

# Times, as far as a number is not enough to see them.
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_CLOCK = r"\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?"
_ZONE = r"(?: ?(?:[AP]M|[ap]m|UTC|GMT|CES?T|[ECMP][SD]T|[+-]\d{4})\b)*"
_TIME = (
    r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )?"
    rf"(?:\d{{1,2}}[ -]{_MONTH}[ -]\d{{2,4}}|{_MONTH} +\d{{1,2}}\b(?:,? \d{{4}}\b)?)"
    rf"(?:[ T:]+{_CLOCK})?{_ZONE}(?: \d{{4}}\b)?"
)
#: The machine's name before a program's: ``Nov 30 07:09:33 web sshd[12]:`` and, in RFC 5424, after the time.
_SYSLOG = re.compile(rf"^(?:<\d+>)?(?:{_TIME}|[\d:.TZ+-]+) \S+ (?=[\w./-]+\[\d+\]:)|^<\d+>1 \S+ \S+ ")

#: A structure that was written out: what stands in braces, or a list of texts or structures.
_STRUCTURE = re.compile(r"&?\{|\bmap\[|[\[(<](?!\s*<\.\.>)(?=\s*[\[({<'\"])")
# An apostrophe within a word is no quote.
# Written without possessive repetition, which Python 3.11.2 gets wrong.
_QUOTED = r"\"[^\"\\]*(?:\\.[^\"\\]*)*\"|(?<!\w)'[^'\\]*(?:(?:\\.|'(?=\w))[^'\\]*)*'(?!\w)"
_QUOTE = re.compile(_QUOTED)
_BRACKETS = re.compile(rf"{_QUOTED}|[\[({{<]|=>|->|[\])}}>]")

#: The keys of a structured line that say which line of the program it is.
_MESSAGE = ("event", "message", "msg", "@message", "@mt")
_BESIDE = ("level", "severity", "levelname", "level_name", "@level", "logger", "logger_name")
_PAIR = re.compile(rf"(?<![\w.=-])([A-Za-z_@][\w.@-]*)=({_QUOTED}|<\.\.>|[^\s\"'<>=,;()\[\]{{}}]+)")

#: The last line of a traceback: class and text are those of whatever went wrong.
_EXCEPTION = re.compile(r"^(?:(?:\w|<\.\.>)+\.)*[A-Z]\w*(?:Error|Exception)(?: \[\w+\])?: .*")

_PHRASES = "|".join(sorted((re.escape(status.phrase) for status in HTTPStatus), key=len, reverse=True))
#: What differs from line to line, whatever the program. What comes first goes first.
_VALUES = re.compile(
    r"(?P<request>\"?\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE) \S+(?: HTTP/[\d.]+)?\"?"
    rf"(?:\s+-?\s*[1-5]\d\d\b(?: (?:{_PHRASES})\b)?)?)"
    rf"|{_TIME}"
    rf"|{_QUOTED}|(?<!\w)[\"'][^\"']*$"  # the last of these was cut
    r"|\b[a-z][a-z0-9+.-]*://\S+"
    r"|[\w.+-]*<\.\.>(?:[\w.+-]|<\.\.>)*@(?:[\w.-]|<\.\.>)*"  # an address that is known in part
    r"|[\w.+-]+@[\w.-]+\w"
    r"|(?<![\w.])~?/(?:[\w.@%~+-]+/)+[\w.@%~+-]*(?::\d+)*|\b[A-Za-z]:\\[^\s\"'<>|]+"  # paths
    r"|\b(?:localhost|(?:[a-z0-9_-]+\.)+[a-z_][a-z0-9_-]*)\b(?::\d+)*"  # hosts, files, types of events
    r"|\beyJ[\w-]{8,}(?:\.[\w-]+)*"
    rf"|\b[1-5]\d\d (?:{_PHRASES})\b"
    r"|(?<![\w:])::[\da-fA-F:.]+"
    rf"|(?<!\w)[+-]?\d(?:[\w:.,/+-]*\w)?(?: (?:[nuµm]?s|sec|seconds?|minutes?|bytes?|[kKMG]i?B)\b|{_ZONE})"
    r"|\b(?=[\w-]*\d)\w+(?:-\w+)*"
    r"|\b[A-Za-z]+(?:_[A-Za-z0-9]+)*_(?=[a-z]*[A-Z])(?=[A-Z]*[a-z])[A-Za-z]{8,}\b"  # ids that hold no digit
    r"|\b[A-Fa-f]{8,}\b"
    r"|(?:\b(?:None|null|NULL|nil|undefined|NaN|[Tt]rue|[Ff]alse)\b|<nil>)"
)
#: Holes side by side, and what was left of a value that was known in part only.
_HOLES = re.compile(r"<\.\.>(?:[\s,;:=|/<>+@.&?%#_~-]*<\.\.>)+\w*|<\.\.>\w+")


def shorten_line(line: str) -> str:
    """Return the shape of a line: what a program writes each time, with ``<..>`` for what it fills in."""
    text = _ANSI.sub("", line).strip()
    try:
        content = json.loads(text) if text.startswith("{") else None
    except (ValueError, RecursionError):
        content = None
    if isinstance(content, Mapping):
        return _cut(" ".join(_keep_words(content))) or "{..}"
    return _EXCEPTION.sub("an exception", _cut(_shorten_text(text)))


def _keep_words(content: Mapping[str, Any]) -> Iterator[str]:
    by_name = {name.lower(): value for name, value in content.items()}
    for key in (*_BESIDE, *_MESSAGE):
        value = by_name.get(key)
        if isinstance(value, str) and value.strip():
            yield _shorten_text(value.strip().partition("\n")[0])


def _shorten_text(text: str) -> str:
    text = _CONCEALED.sub(_HOLE, text[:_MOST_READ])
    text = _cut_structures(_SYSLOG.sub(f"{_HOLE} ", text))
    text = _VALUES.sub(
        lambda found: "a request" if found["request"] else _HOLE, _PAIR.sub(_shorten_pair, text)[:_MOST_LEFT]
    )
    return _HOLES.sub(_HOLE, " ".join(text.split()).replace(" ]", "]"))


def _shorten_pair(pair: re.Match[str]) -> str:
    """Keep a pair's key, and its value only where that is the program's own."""
    key, value = pair.groups()
    if key.lower() not in {*_BESIDE, *_MESSAGE}:
        return f"{key}={_HOLE}"
    bare = value[1:-1] if value.startswith(("'", '"')) else value
    return f"{key}={bare}"


def _cut_structures(text: str) -> str:
    """Return a text without the structures in it, each to its end, or to the text's where it was cut."""
    kept, at = [], 0
    while (opening := _STRUCTURE.search(text, at)) is not None:
        kept += [text[at : opening.start()], _HOLE]
        at = _find_end(text, opening.end() - 1)
    return "".join((*kept, text[at:]))


def _find_end(text: str, start: int) -> int:
    depth = 0
    for part in _BRACKETS.finditer(text, start):
        sign = part[0]
        if sign in {"{", "[", "(", "<"}:
            depth += 1
        elif sign in {"}", "]", ")", ">"}:
            depth -= 1
        if depth == 0:
            return part.end()
    return len(text)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


_ID = re.compile(
    r"\{.*\}|.*@.*|\d+"
    r"|[0-9a-fA-F]{8,}"
    r"|[A-Za-z]+(?:_[A-Za-z0-9]+)*_(?=[a-z]*[A-Z])(?=[A-Z]*[a-z])[A-Za-z]{6,}"
    r"|[a-z]{2,5}_\{.*\}"
)
#: Words that a route may have of its own though they hold a digit: v2, oauth2, s3, api-v1, 3ds, p24.
_WORD = re.compile(r"[A-Za-z]*|v\d{1,3}|[A-Za-z]{1,7}\d|\d[A-Za-z]{1,3}")
_SHORT = 6  # a part with a digit in it that is shorter may well be a word


def strip_ids(path: str) -> str:
    """Return a path with ``{}`` for each part of it that looks like an id."""
    return "/".join("{}" if _is_id(unquote(part)) else part for part in path.split("/"))


def _is_id(part: str) -> bool:
    if _ID.fullmatch(part):
        return True
    if len(part) < _SHORT or not any(one.isdigit() for one in part):
        return False
    return not all(_WORD.fullmatch(one) for one in re.split(r"[._~-]", part))


_RANDOM = re.compile(
    r"(?<![A-Za-z0-9])tmp(?:[a-z0-9_]{8}(?![a-z0-9])|\.\w{6,})"  # of tempfile and of mktemp
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
    r"|(?<=_)(?=[a-z]*[A-Z])(?=[A-Z]*[a-z])[A-Za-z]{12,}(?![A-Za-z0-9])"
)
_WORDS = re.compile(r"[A-Za-z0-9]+")
_HOLES_OF_NAME = re.compile(r"\{\}(?:[-_.]?\{\})+")


def shorten_name(name: str) -> str:
    """Return a file's name with ``{}`` for what differs from day to day in it: dates, numbers, ids."""
    text = _WORDS.sub(lambda word: "{}" if word[0].isdigit() or _is_id(word[0]) else word[0], _RANDOM.sub("{}", name))
    return _HOLES_OF_NAME.sub("{}", text)
