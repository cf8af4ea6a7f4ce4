"""Values that a run makes up or must keep secret, and the search for them in everything that comes back.

A value is found and replaced by a placeholder in one pass, before anything else sees the bytes, so that what is
recorded, judged, printed and written never holds it.
"""

import hashlib
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from faker import Faker

from payproof.domain.sensitive import Exposure
from payproof.domain.strings import strings_of, with_strings
from payproof.scan.brands import TEST_NUMBERS
from payproof.scan.canaries import Canary, group_digits
from payproof.scan.luhn import check_digit
from payproof.scan.own_values import Span, ValueFinder

__all__ = ["Ledger", "LedgerEntry", "make_canaries", "make_card_number", "make_iban", "spellings"]

_CARD_DIGITS = range(12, 20)
_SHORTEST = 6  # a shorter text would be found by chance
_WORD = re.compile(rb"[0-9A-Za-z]+")
_UNSAFE = re.compile(r"[^ !#$%()*+,\-./0-9:;=?@A-Z\[\]_a-z]")
_BETWEEN = b"\n\x00\n"  # no encoding goes on behind it
_LOOKS = 3

_Any = TypeVar("_Any")


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A registered value: its sort, which one it is, its text, and whether it is kept for the whole run."""

    kind: str
    label: str
    value: bytes = field(repr=False)
    lasting: bool = False

    @property
    def shown(self) -> bytes:
        """The text that stands in its place; it is safe within JSON and XML too."""
        return _UNSAFE.sub("_", f"[{self.kind}: {self.label}]").encode()


class Ledger:
    """Every sensitive value of a run, and how to find and replace them; for several threads.

    Lasting values, the target's secrets, are found in every encoding that the search knows, others as they are written.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[bytes, LedgerEntry] = {}
        self._harmless: set[bytes] = set()
        self._temporary: list[bytes] = []
        self._earlier: list[bytes] = []
        self._ever: dict[bytes, LedgerEntry] = {}
        self._offered: dict[bytes, LedgerEntry] = {}
        # By how they begin, so that a text is searched for all of them in one pass.
        self._beginnings: dict[bytes, list[LedgerEntry]] = {}
        self._finder: ValueFinder | None = None

    def add(self, kind: str, label: str, value: bytes, *, lasting: bool = False, harmless: bool = False) -> None:
        """Register a value; it is forgotten at the second ``forget`` from now unless it is lasting.

        One that is ``harmless`` must stand in nothing that comes back from now on, but the run itself may show it.
        Values shorter than 6 bytes are not registered, as chance would find them.
        """
        with self._lock:
            if len(value) < _SHORTEST or value in self._entries:
                return
            entry = self._entries[value] = LedgerEntry(kind, label, value, lasting)
            if harmless:
                self._harmless.add(value)
            elif value not in self._ever:
                self._ever[value] = entry
                self._beginnings.setdefault(value[:_SHORTEST], []).append(entry)
            if lasting:
                self._finder = None  # made anew when it is needed
            else:
                self._temporary.append(value)

    def note_offered(self, kind: str, label: str, value: bytes) -> None:
        """Remember a value that looks like payment data by chance, so that a search names it where it finds it."""
        with self._lock:
            self._offered.setdefault(value, LedgerEntry(kind, label, value))

    @property
    def offered(self) -> Mapping[bytes, LedgerEntry]:
        """Every value that was noted as offered by chance."""
        with self._lock:
            return dict(self._offered)

    def forget(self) -> None:
        """End a case: its values are dropped one case later, as a late log line may still hold them until then."""
        with self._lock:
            for value in self._earlier:
                del self._entries[value]
                self._harmless.discard(value)
            self._earlier, self._temporary = self._temporary, []

    def conceal(self, data: bytes, where: str = "") -> tuple[bytes, tuple[Exposure, ...]]:
        """Return the data with every registered value replaced by ``[kind: label]``, and what was found where."""
        return self._replace_values(data, where, self._find_active(data))

    def conceal_all(
        self, parts: Iterable[tuple[bytes, str]], *, ever: bool = False
    ) -> list[tuple[bytes, tuple[Exposure, ...]]]:
        """Return what ``conceal`` does for each part with its place; one pass searches all, as most hold none.

        With ``ever`` every value counts that was ever registered and must not be shown. What a target says to Stripe
        may hold what it got long ago, and that is nobody's finding.
        """
        given = list(parts)
        together = _BETWEEN.join(part for part, _ in given)
        present = self._find_active(together) | (self._find_ever(together) if ever else {})
        if not present and not self._find_encoded(together):
            return [(part, ()) for part, _ in given]
        return [
            self._replace_values(part, where, {value: one for value, one in present.items() if value in part})
            for part, where in given
        ]

    def _find_ever(self, data: bytes) -> dict[bytes, LedgerEntry]:
        """Return the values that were ever registered and stand in the data, by a look at each place of it."""
        with self._lock:
            begun = (
                (place, entry)
                for place in range(len(data) - _SHORTEST + 1)
                for entry in self._beginnings.get(data[place : place + _SHORTEST], ())
            )
            return {entry.value: entry for place, entry in begun if data.startswith(entry.value, place)}

    def _find_active(self, data: bytes) -> dict[bytes, LedgerEntry]:
        # Most data holds none, and a pattern of all values would be compiled anew for each delivery's signature.
        with self._lock:
            return {value: entry for value, entry in self._entries.items() if value in data}

    def _find_encoded(self, data: bytes) -> list[Span]:
        if len(data) < _SHORTEST:
            return []
        with self._lock:
            if self._finder is None:
                secrets = [Canary(one.kind, one.label, one.value) for one in self._entries.values() if one.lasting]
                self._finder = ValueFinder(secrets)
            finder = self._finder
        return finder.spans(data)

    def _replace_values(
        self, data: bytes, where: str, present: Mapping[bytes, LedgerEntry]
    ) -> tuple[bytes, tuple[Exposure, ...]]:
        found: list[Exposure] = []

        def note(entry: LedgerEntry | Span, place: str) -> None:
            found.append(Exposure(entry.kind, entry.label, f"{where}, {place}" if where else place))

        def replace(match: re.Match[bytes]) -> bytes:
            entry = present[match.group()]
            note(entry, f"byte {match.start()}")
            return entry.shown

        if present:
            pattern = re.compile(b"|".join(map(re.escape, sorted(present, key=len, reverse=True))))
            data = pattern.sub(replace, data)
        for _ in range(_LOOKS):
            spans = self._find_encoded(data)
            if not spans:
                break
            for span in reversed(spans):
                note(span, f"byte {span.start}, {span.how}")
                data = data[: span.start] + LedgerEntry(span.kind, span.label, b"").shown + data[span.end :]
        else:
            # It does not come to an end: a text that is nothing but that is not worth a leak.
            data = b"[a text that holds secrets in encodings]" if self._find_encoded(data) else data
        return data, tuple(found)

    def values(self) -> Iterator[tuple[str, str, bytes]]:
        """Return the kind, label and text of every value that is registered and not forgotten."""
        for value, entry in self._entries.items():
            yield entry.kind, entry.label, value

    def conceal_text(self, text: str) -> str:
        """Return the text with every registered value replaced."""
        return self.conceal(text.encode("utf-8", "surrogateescape"))[0].decode("utf-8", "replace")

    def mask_strings(self, value: _Any) -> tuple[_Any, tuple[Exposure, ...]]:
        """Return what a run reports with every value replaced that must not be shown, in whatever text it stands.

        All of it was concealed where it was seen, so this finds what was forgotten there.
        """
        texts = [text.encode("utf-8", "surrogateescape") for text in strings_of(value)]
        together = _BETWEEN.join(texts)
        present = {one: entry for one, entry in self._find_active(together).items() if one not in self._harmless}
        if not present and not self._find_encoded(together):
            return value, ()
        found: list[Exposure] = []

        def mask(text: str) -> str:
            data, exposures = self._replace_values(text.encode("utf-8", "surrogateescape"), "", present)
            found.extend(exposures)
            return data.decode("utf-8", "replace") if exposures else text

        return with_strings(value, mask), tuple(found)

    def mask_ever(self, data: bytes) -> tuple[bytes, tuple[Exposure, ...]]:
        """Return a whole report with every value replaced that was ever registered and must not be shown."""
        if self.holds_none([data]) and not self._find_encoded(data):
            return data, ()
        present = {value: entry for value, entry in self.registered.items() if value in data}
        return self._replace_values(data, "", present)

    @property
    def registered(self) -> Mapping[bytes, LedgerEntry]:
        """Every value that was ever registered and must not be shown."""
        with self._lock:
            return dict(self._ever)

    def holds_none(self, data: Iterable[bytes]) -> bool:
        """Whether no value that was ever registered, forgotten ones included, stands in the data as it is written."""
        chunks = tuple(data)
        # A report has millions of bytes, most of them again and again: what is not in its words is not in it.
        words = b"\n".join({word for chunk in chunks for word in _WORD.findall(chunk)})
        suspects = [one for one in self.registered if max(_WORD.findall(one), key=len, default=b"") in words]
        return not any(one in chunk for chunk in chunks for one in suspects)


_faker = Faker("en_US")


def make_canaries(random: Random) -> Mapping[str, str]:
    """Make one case's canaries: what Stripe would carry as personal or card data, each unlike anything else.

    Keys are ``name``, ``email``, ``phone``, ``address``, ``description``, ``metadata`` and ``client_secret``.
    """
    tag = hashlib.blake2b(random.randbytes(16), digest_size=6).hexdigest()
    _faker.seed_instance(random.getrandbits(64))
    last = _faker.last_name()
    return {
        "name": f"{_faker.first_name()} {last} {tag}",
        "email": f"{last.lower()}.{tag}@{_faker.safe_domain_name()}",
        "phone": f"+1555{random.randrange(10**7):07d}",
        "address": f"{_faker.building_number()} {_faker.street_name()} {tag}",
        "description": f"{_faker.catch_phrase()} {tag}",
        "metadata": f"canary-{tag}-{random.getrandbits(48):012x}",
        "client_secret": "pi_" + f"{random.getrandbits(96):024x}" + "_secret_" + f"{random.getrandbits(96):024x}",
    }


def make_card_number(random: Random) -> str:
    """Make a card number of Stripe's test range that is none of the published ones; its check digit is right."""
    while True:
        number = f"4000{random.randrange(10**11):011d}"
        number += check_digit(number)
        if number not in TEST_NUMBERS:
            return number


def make_iban(random: Random) -> str:
    """Make a German IBAN whose check digits are right, of a bank that there is not."""
    account = f"9{random.randrange(10**17):017d}"
    # ISO 7064: the country as numbers (D is 13, E is 14) and two zeros stand behind the account.
    return f"DE{98 - int(account + '131400') % 97:02d}{account}"


def spellings(value: bytes) -> Iterator[bytes]:
    """Yield a value as it is and, of a card number, as it is written in groups."""
    yield value
    if value.isdigit() and len(value) in _CARD_DIGITS:
        yield from group_digits(value)
