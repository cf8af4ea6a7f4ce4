"""Values that a run makes up or must keep secret, and the search for them in everything that comes back.

A value is found and replaced by a placeholder in one pass, before anything else sees the bytes, so that what is
recorded, judged, printed and written never holds it.
"""

import hashlib
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from faker import Faker

from harness.domain.sensitive import Exposure
from harness.scan.brands import TEST_NUMBERS
from harness.scan.canaries import grouped
from harness.scan.luhn import check_digit

__all__ = ["Ledger", "make_canaries", "make_card_number", "make_iban", "spellings"]

_CARD_DIGITS = range(12, 20)
_SHORTEST = 6  # a shorter text would be found by chance
_WORD = re.compile(rb"[0-9A-Za-z]+")


@dataclass(frozen=True, slots=True)
class _Entry:
    kind: str
    label: str


class Ledger:
    """Every sensitive value of a run, and how to find and replace them; for several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[bytes, _Entry] = {}
        self._temporary: list[bytes] = []
        self._earlier: list[bytes] = []
        self._ever: set[bytes] = set()

    def add(self, kind: str, label: str, value: bytes, *, lasting: bool = False, harmless: bool = False) -> None:
        """Register a value; it is forgotten at the second ``forget`` from now unless it is lasting.

        One that is ``harmless`` must stand in nothing that comes back from now on, but the run itself may tell it.
        Values shorter than 6 bytes are not registered, as chance would find them.
        """
        with self._lock:
            if len(value) < _SHORTEST or value in self._entries:
                return
            self._entries[value] = _Entry(kind, label)
            if not harmless:
                self._ever.add(value)
            if not lasting:
                self._temporary.append(value)

    def forget(self) -> None:
        """End a case: its values are dropped one case later, as a late log line may still hold them until then."""
        with self._lock:
            for value in self._earlier:
                del self._entries[value]
            self._earlier, self._temporary = self._temporary, []

    def conceal(self, data: bytes, where: str = "") -> tuple[bytes, tuple[Exposure, ...]]:
        """Return the data with every registered value replaced by ``[kind: label]``, and what was found where."""
        # Most data holds none, and a pattern of all values would be compiled anew for each delivery's signature.
        with self._lock:
            present = {value: entry for value, entry in self._entries.items() if value in data}
        if not present:
            return data, ()
        pattern = re.compile(b"|".join(map(re.escape, sorted(present, key=len, reverse=True))))
        found: list[Exposure] = []

        def replace(match: re.Match[bytes]) -> bytes:
            entry = present[match.group()]
            place = f"byte {match.start()}"
            found.append(Exposure(entry.kind, entry.label, f"{where}, {place}" if where else place))
            return f"[{entry.kind}: {entry.label}]".encode()

        return pattern.sub(replace, data), tuple(found)

    def values(self) -> Iterator[tuple[str, str, bytes]]:
        """Return the kind, label and text of every value that is registered and not forgotten."""
        for value, entry in self._entries.items():
            yield entry.kind, entry.label, value

    def conceal_text(self, text: str) -> str:
        """Return the text with every registered value replaced."""
        return self.conceal(text.encode("utf-8", "surrogateescape"))[0].decode("utf-8", "replace")

    @property
    def registered(self) -> frozenset[bytes]:
        """Every value that was ever registered and must not be told."""
        with self._lock:
            return frozenset(self._ever)

    def holds_none(self, data: Iterable[bytes]) -> bool:
        """Whether no value that was ever registered, forgotten ones included, stands in the data."""
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
        yield from grouped(value)
