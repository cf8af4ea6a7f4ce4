"""The corpus that recall and precision are measured on: made from a seed, and from `fixtures/corpora/card_data`."""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from payproof.scan.brands import BRANDS, Brand
from payproof.scan.canaries import Canaries, Canary
from payproof.scan.luhn import check_digit
from payproof.scan.values import scan_value
from tests.scan._secrets import leaks, masked_secrets
from tests.scan._ways import RUN_ON, TYPED, WAYS
from tests.scan._writing import BYTE_CODECS, GROUPS, TEXT_CODECS, WIDE, grouped, pan

__all__ = ["CANARIES", "Sample", "believable", "clean", "contexts", "decoys", "masked_forms", "planted"]

_FOLDER = Path(__file__).parents[2] / "fixtures" / "corpora" / "card_data"
_UATP = "UATP"  # only ever told in low confidence
_BARE = ("base64 of digits", "basic")  # ways without a neighbour that tells
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
CANARIES = Canaries(
    (
        Canary("name", "c1", b"Grace Hopper 7d21aa09c4e8"),
        Canary("email", "c2", b"canary-3f9a61d2@example.test"),
        Canary("card number", "c3", ("400005" + "777123450" + check_digit("400005" + "777123450")).encode()),
    )
)


@dataclass(frozen=True, slots=True)
class Sample:
    """Something to search: the detector that must find it (none for what is clean), how it is written, the bytes.

    ``also`` are detectors that are right to find something there, too; ``value`` is a typed value, to be searched as
    such; ``shown`` is how a hit must show what it found.
    """

    kind: str | None
    how: str
    data: bytes = b""
    also: frozenset[str] = frozenset()
    value: object = None
    shown: str | None = None

    def searched(self, scanner: object) -> list[object]:
        """Return what a scanner finds in it."""
        if self.value is not None:
            return list(scan_value(scanner, "card_number", self.value))
        return scanner.scan(self.data)


def contexts() -> Mapping[str, str]:
    """Return the texts in which a card number stands as ``{pan}``."""
    return json.loads((_FOLDER / "contexts.json").read_text())


def decoys() -> Mapping[str, str]:
    """Return texts that hold digits and no payment data."""
    return json.loads((_FOLDER / "decoys.json").read_text())


def believable(brand: Brand, length: int, *, bare: bool = False) -> bool:
    """Whether numbers of a brand and length are told in medium confidence; ``bare`` where no neighbour tells."""
    return brand.name != _UATP and not (bare and length in brand.weak)


def _masked(number: str) -> str:
    return f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"


def _pans(random: Random) -> Iterator[Sample]:
    for brand in BRANDS:
        for length in brand.lengths:
            for way, write in WAYS.items():
                in_groups = way.startswith("groups") or way == "neighbouring fields"
                if (length in GROUPS or not in_groups) and believable(brand, length, bare=way in _BARE):
                    number = pan(brand, length, random)
                    also = frozenset({"jwt"} if way == "jwt" else {"cvc"} if way.endswith("code") else ())
                    yield Sample("pan", way, write(number), also, shown=_masked(number))
            for way, write in RUN_ON.items() if length in {15, 16} and brand.luhn and believable(brand, length) else ():
                number = pan(brand, length, random)
                yield Sample("pan", way, write(number), shown=_masked(number))
            for way, typed in TYPED.items():
                if (length in GROUPS or way != "groups in an array") and believable(brand, length):
                    number = pan(brand, length, random)
                    yield Sample("pan", f"typed, {way}", value=typed(number), shown=_masked(number))
            for name, text in contexts().items():
                if believable(brand, length):
                    number = pan(brand, length, random)
                    yield Sample("pan", name, text.replace("{pan}", number).encode(), shown=_masked(number))


def _iban(random: Random) -> str:
    bank = "".join(random.choices("0123456789", k=18))
    return f"DE{98 - int(bank + '131400') % 97:02d}{bank}"


def _routing(random: Random) -> str:
    body = f"{random.randrange(1, 13):02}" + "".join(random.choices("0123456789", k=6))
    total = sum(weight * int(digit) for weight, digit in zip((3, 7, 1) * 3, body, strict=False))
    return body + str(-total % 10)


def _text(random: Random, length: int) -> str:
    return "".join(random.choices(_LETTERS, k=length))


def _part(value: object) -> str:
    return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _others(random: Random) -> Mapping[str, tuple[str, ...]]:
    """Return texts that hold one value of each other kind."""
    visa, code = pan(BRANDS[7], 16, random), f"{random.randrange(1000):03}"
    iban, routing = _iban(random), _routing(random)
    key = "\n".join(_text(random, 64) for _ in range(3))
    head, tail = "-----BEGIN " + "RSA PRIVATE KEY-----", "-----END " + "RSA PRIVATE KEY-----"
    pin, block = f"{random.randrange(10**4):04}", f"{random.getrandbits(64):016X}"
    expiry = f"{random.randrange(27, 35)}{random.randrange(1, 13):02}"
    name, mail, number = (canary.value.decode() for canary in CANARIES.values)
    return {
        "track_data": (
            f"swiped %B{visa}^HOPPER/GRACE^{expiry}101{random.randrange(10**8):08}?",
            f'{{"track2": ";{visa}={expiry}201{random.randrange(10**9):09}?"}}',
        ),
        "cvc": (
            f'{{"cvc": "{code}"}}',
            f"amount=1&card[cvc]={code}&x=1",
            f"<CVV2>{code}</CVV2>",
            f"cvv: {code} exp 12/31",
            f'{{"cvc": {{"value": "{code}"}}}}',
            f'{{"name": "cvc", "value": "{code}"}}',
            f'<input name="cvc" type="text" value="{code}">',
            f'<cvc type="plain">{code}</cvc>',
            json.dumps({"body": json.dumps({"card": json.dumps({"cvc": code})})}),
            f"number%3D1%26cvc%3D{code}%26x",
        ),
        "pin": (
            f'{{"card_pin": "{pin}"}}',
            f"<PIN>{pin}</PIN>",
            f'{{"pinBlock":"{block}"}}',
            f'{{"card_pin": {{"value": "{pin}"}}}}',
            f'{{"name": "pin", "value": "{pin}"}}',
            json.dumps({"body": f"amount=1\npin={pin}\nx=1"}),
            json.dumps({"body": json.dumps({"card": json.dumps({"pin": pin})})}),
            f"amount=1%0Apin={pin}%0Ax",
            f'Content-Disposition: form-data; name="pin"\r\n\r\n{pin}\r\n--b--',
        ),
        "iban": (
            f'{{"iban": "{iban}"}}',
            "to " + " ".join(iban[index : index + 4] for index in range(0, 22, 4)) + " by Friday",
        ),
        "us_bank_account": (
            f'{{"routing_number": "{routing}"}}',
            f"account_number={random.getrandbits(38) + 10**9}&x=1",
        ),
        "jwt": (f"Bearer {_part({'alg': 'HS256'})}.{_part({'sub': _text(random, 9)})}.{_text(random, 43)}",),
        "private_key": (f"{head}\n{key}\n{tail}\n", json.dumps({"key": f"{head}\n{key}\n{tail}"})),
        "dsn_password": (
            f"postgresql://billing:{_text(random, 12)}@db.internal:5432/billing",
            f'{{"url": "redis://:{_text(random, 16)}@cache:6379/0"}}',
            f"DATABASE_URL=postgres:/billing:{_text(random, 12)}@db.internal/billing",
            f"connecting to mysql//root:{_text(random, 12)}@10.0.0.5/app",
            f"cannot parse ://billing:{_text(random, 12)}@db.internal/billing",
            f"no scheme: //billing:{_text(random, 12)}@db.internal/billing",
            f"amqp :// worker:{_text(random, 12)}@queue/",
            f"mongodb;//app:{_text(random, 12)}@db/app",
        ),
        "canary": (f'{{"name": "{name}"}}', f"to {mail}", f"card {grouped(number, '-')}", f"ref {number[::-1]}"),
    }


_SKIPPED = {"json", "url", "html"}  # change nothing in most of the texts
_BESIDE = {"track_data": {"pan"}, "canary": {"pan"}}
_ENCODED: Mapping[str, Callable[[str], bytes]] = {
    "as it is": lambda text: text.encode(),
    "json in json": lambda text: json.dumps({"body": text}).encode(),
    **{
        name: (lambda text, write=write: write(text).encode())
        for name, write in TEXT_CODECS.items()
        if name not in _SKIPPED
    },
    **{name: (lambda text, write=write: _carried(write(text.encode()))) for name, write in BYTE_CODECS.items()},
    **WIDE,
}


def _carried(value: str | bytes) -> bytes:
    return b'{"body": "' + (value if isinstance(value, bytes) else value.encode()) + b'"}'


def planted(seed: int, rounds: int = 3) -> Iterator[Sample]:
    """Return samples of every kind in every way."""
    random = Random(seed)
    yield from _pans(random)
    for _ in range(rounds):
        texts = [(kind, text) for kind, row in _others(random).items() for text in row]
        texts += [(kind, data.decode()) for kind, data in leaks(random).values()]
        for kind, text in texts:
            beside = _BESIDE.get(kind, set())
            for how, write in _ENCODED.items():
                also = beside | ({"jwt"} if how == "jwt" else set())
                yield Sample(kind, how, write(text), frozenset(also))


def masked_forms(random: Random) -> Iterator[str]:
    """Return a number of each brand in the forms that may be shown."""
    for brand in BRANDS:
        for length in brand.lengths:
            number = pan(brand, length, random)
            first, last, hidden = number[:6], number[-4:], length - 10
            for mask in ("*", "x", "X", "•"):
                if hidden >= 4:
                    yield f"card {first}{mask * hidden}{last} charged"
                yield f'{{"card_number": "{mask * (length - 4)}{last}"}}'
                yield f"card {mask * 4} {mask * 4} {mask * 4} {last} exp 12/31"
            yield f"card {number[:4]} **** **** {last}"
            yield f"Visa …{last} exp 12/31"


def clean(seed: int) -> Iterator[Sample]:
    """Return what is safe: decoys, masked forms of numbers and of secrets."""
    random = Random(seed)
    for name, text in decoys().items():
        yield Sample(None, name, text.encode())
    for text in masked_forms(random):
        for how, write in (
            ("masked", str.encode),
            ("masked in base64", lambda text: _carried(BYTE_CODECS["base64"](text.encode()))),
        ):
            yield Sample(None, how, write(text))
    for data in masked_secrets(random):
        yield Sample(None, "masked secret", data)
