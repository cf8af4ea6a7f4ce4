"""Reads Stripe's events as its API and its CLI export them, and takes payment data and personal data out of them.

A file is JSON lines with an event each (``stripe listen --print-json``, ``stripe logs``), or one JSON document: a list
as ``GET /v1/events`` answers it, an array of events, or one event. What is replaced is what Stripe's API calls a name,
an address, an e-mail address, a telephone number, an IP address, the details of a card or a bank account, a client
secret or a page of one customer's; and in every other text what looks like a card number, a secret or an e-mail
address. The same value gets the same replacement, so that what belonged together still does. Ids stay as they are, for
the target knows them.
"""

import json
import re
from bisect import bisect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from payproof.domain.detector import Hit
from payproof.domain.documents import read_json
from payproof.domain.finding import Confidence
from payproof.errors import ConfigurationError
from payproof.registry import detectors
from payproof.scan.scanner import Scanner

__all__ = ["Disguise", "count_events", "read_events"]

_OBJECT_HINT = 'each event is a JSON object with "object": "event", as `stripe listen --print-json` prints it'
_PLACE = frozenset({"city", "line1", "line2", "postal_code", "state", "town"})
_WITHIN = frozenset(
    {
        *("address", "billing_details", "customer_address", "customer_details", "customer_shipping", "owner"),
        *("shipping", "shipping_details", "individual", "sender_details"),
    }
)
_PEOPLE = frozenset(
    {"business_name", "customer_name", "individual_name", "verified_name", "first_name", "last_name", "recipient"}
)
_LAST_FOUR = frozenset({"last4", "dynamic_last4"})
_ACCOUNT = frozenset({"account_holder_name", "account_number", "fingerprint", "routing_number"})
_NETWORK = frozenset({"client_ip", "ip", "ip_address"})
_DETECTED = ("pan", "stripe_secret", "client_secret", "iban", "track_data", "jwt", "private_key", "dsn_password")
_NAMED = _PEOPLE | _LAST_FOUR | _ACCOUNT | _NETWORK | {"client_secret"}
_BETWEEN = b'\n"~"\n'  # no number and no word goes on beyond it
_MOST_TOLD = 1000  # of each kind a search tells some thousands
_DIGITS = re.compile(r"\d")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"https://(?:[\w-]+\.)*(?:stripe|link)\.com/\S*")


def read_events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a file, in its order.

    Raises:
        ConfigurationError: the file cannot be read, or holds something that is no event; with its place.
    """
    try:
        with path.open("rb") as file:
            first = next((line for line in file if line.strip()), b"")
            if not first:
                return
            if _is_whole(first):
                file.seek(0)
                for number, line in enumerate(file, 1):
                    if line.strip():
                        yield _require_event(_read(line, path, f"line {number}"), path, f"line {number}")
                return
            file.seek(0)
            document = _read(file.read(), path, "")
    except OSError as error:
        raise ConfigurationError(f"the events cannot be read: {error.strerror}", file=path) from None
    found = document.get("data", [document]) if isinstance(document, dict) else document
    if isinstance(document, dict) and document.get("object") == "event":
        found = [document]
    if not isinstance(found, list):
        raise ConfigurationError("no list of events", hint=_OBJECT_HINT, file=path)
    for number, one in enumerate(found, 1):
        yield _require_event(one, path, f"event {number}")


def count_events(path: Path) -> int:
    """Return how many events a file holds, having looked at each.

    Raises:
        ConfigurationError: there is none, or something is none; before anything is sent.
    """
    if not (count := sum(1 for _ in read_events(path))):
        raise ConfigurationError("the file holds no event", hint=_OBJECT_HINT, file=path)
    return count


def _is_whole(line: bytes) -> bool:
    """Whether a line is an event by itself: then the file is JSON lines."""
    try:
        document = read_json(line)
    except ValueError:
        return False
    return isinstance(document, dict) and document.get("object") == "event"


def _read(data: bytes, path: Path, place: str) -> Any:
    try:
        return read_json(data)
    except ValueError as error:
        where = f"{place}: " if place else ""
        raise ConfigurationError(f"{where}no JSON: {error}", hint=_OBJECT_HINT, file=path) from None


def _require_event(one: Any, path: Path, place: str) -> dict[str, Any]:
    if not isinstance(one, dict) or one.get("object") != "event":
        raise ConfigurationError(f"{place}: no event of Stripe's", hint=_OBJECT_HINT, file=path)
    data = one.get("data")
    texts = all(isinstance(one.get(name), str) and one[name] for name in ("id", "type"))
    if not texts or not isinstance(data, dict) or not isinstance(data.get("object"), dict):
        hint = "an event has an id, a type, and an object in data.object"
        raise ConfigurationError(f"{place}: an event without what it tells", hint=hint, file=path)
    return one


@dataclass(frozen=True, slots=True)
class Disguise:
    """Replaces values that are somebody's by made-up ones; ``key`` decides which, so that nobody finds the old ones."""

    key: bytes

    def apply(self, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return events without anybody's data; many at a time cost little more than one."""
        replaced = [self._walk(event, "", within=False) for event in events]
        found = {text: _take_out(text) for text in _find_suspects({text for one in replaced for text in _texts(one)})}
        return [_put(event, found) for event in replaced] if found else replaced

    def encode(self, events: Sequence[Mapping[str, Any]]) -> list[bytes]:
        """Return the bodies of webhooks that deliver the events, without anybody's data."""
        # Half a character, which no encoding has, stays the escape that it was in the file.
        written = (json.dumps(event, indent=2, ensure_ascii=False) for event in self.apply(events))
        return [one.encode("utf-8", "backslashreplace") for one in written]

    def _walk(self, value: Any, name: str, *, within: bool) -> Any:
        if isinstance(value, dict):
            inner = within or name in _WITHIN
            return {key: self._walk(one, key, within=inner) for key, one in value.items()}
        if isinstance(value, list):
            return [self._walk(one, name, within=within) for one in value]
        return self._replace(name, value, within=within) if isinstance(value, str) and value else value

    def _replace(self, name: str, text: str, *, within: bool) -> str:
        if (make := self._choose(name, within=within)) is not None:
            return make(text)
        return self._clean(text)

    def _choose(self, name: str, *, within: bool) -> Callable[[str], str] | None:
        """Return what makes the replacement of a value with a name, where that says that it is somebody's."""
        if not (within or name in _NAMED or name.endswith(("email", "phone"))):
            return None
        making: dict[Callable[[str], str], bool] = {
            lambda text: f"payproof+{self._mark(text)}@example.com": name.endswith("email"),
            lambda text: f"Payproof {self._mark(text)}": name in _PEOPLE or (within and name == "name"),
            lambda text: f"+1555{self._number(text, 7)}": name.endswith("phone"),
            lambda text: self._number(text, 4): name in _LAST_FOUR,
            lambda _: "192.0.2.1": name in _NETWORK,
            lambda text: f"{text.partition('_secret_')[0]}_secret_{self._mark(text)}": name == "client_secret",
            self._mark: name in _ACCOUNT or (within and name in _PLACE),
        }
        return next((make for make, fits in making.items() if fits), None)

    def _clean(self, text: str) -> str:
        """Return a text without what looks like an e-mail address or a customer's own page."""
        if "://" in text:
            text = _URL.sub(lambda found: f"https://stripe.example/{self._mark(found[0])}", text)
        if "@" in text:
            text = _MAIL.sub(lambda found: f"payproof+{self._mark(found[0])}@example.com", text)
        return text

    def _number(self, text: str, digits: int) -> str:
        return str(int(self._mark(text), 16))[-digits:].zfill(digits)

    def _mark(self, text: str) -> str:
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self.key, digest_size=6).hexdigest()


def _texts(value: Any) -> Iterator[str]:
    """Yield all texts of a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)


def _put(value: Any, texts: Mapping[str, str]) -> Any:
    """Return a document with some texts replaced by others."""
    if isinstance(value, dict):
        return {key: _put(one, texts) for key, one in value.items()}
    if isinstance(value, list):
        return [_put(one, texts) for one in value]
    return texts.get(value, value) if isinstance(value, str) else value


def _find_suspects(texts: Collection[str]) -> Collection[str]:
    """Return the texts in which a detector finds something, by one search of them all.

    To ask each detector about each text takes a hundred times as long. Where more is found than a search tells, all are
    suspects.
    """
    asked = [text for text in texts if "_" in text or _DIGITS.search(text)]
    starts, blocks, end = list[int](), list[bytes](), 0
    for text in asked:
        starts.append(end)
        blocks.append(text.encode("utf-8", "surrogatepass") + _BETWEEN)
        end += len(blocks[-1])
    suspects = set[str]()
    for told, hit in enumerate(_scanner().stream(blocks), 1):
        if not isinstance(hit, Hit) or told == _MOST_TOLD:
            return asked
        first, last = bisect(starts, hit.start) - 1, bisect(starts, max(hit.start, hit.end - 1)) - 1
        suspects.update(asked[first : last + 1])
    return suspects


@cache
def _scanner() -> Scanner:
    return Scanner([detectors()[name] for name in _DETECTED], Confidence.LOW)


def _take_out(text: str) -> str:
    """Return a text without what looks like payment data or a secret."""
    data = text.encode("utf-8", "surrogatepass")
    for name in _DETECTED:
        for hit in sorted(detectors()[name].find(data), key=lambda hit: -hit.start):
            data = data[: hit.start] + b"[" + hit.what.encode() + b"]" + data[hit.end :]
    return data.decode("utf-8", "replace")
