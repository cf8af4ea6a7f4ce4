"""Clean log lines, generated from a seed: digits as a billing service writes them, under names that tell what they are.

Bare numbers of a card number's length are left out: about 1 in 40 of them is told in medium confidence, which
`test_numbers_that_nothing_names_are_never_told_in_high_confidence` measures on its own.
"""

import base64
import json
from collections.abc import Callable, Iterator
from random import Random
from uuid import UUID

__all__ = ["clean_lines"]

_START = 1_767_225_600_000  # 2026-01-01, in milliseconds
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
_ROUTES = ("/webhooks/stripe", "/v1/customers", "/v1/invoices", "/v1/subscriptions", "/health", "/metrics")
_EVENTS = ("invoice.paid", "invoice.payment_failed", "customer.subscription.updated", "charge.refunded")


def _digits(random: Random, count: int) -> str:
    return str(random.randrange(10 ** (count - 1), 10**count))


def _id(random: Random, prefix: str, length: int = 24) -> str:
    return prefix + "_" + "".join(random.choices(_ALPHABET, k=length))


def _uuid(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128), version=4))


def _time(random: Random, number: int) -> int:
    return _START + number * 137 + random.randrange(100)


def _access(random: Random, number: int) -> str:
    address = ".".join(str(random.randrange(1, 255)) for _ in range(4))
    return (
        f'{address} - - [23/Nov/2026:05:{number // 60 % 60:02}:{number % 60:02} +0000] "POST {random.choice(_ROUTES)}'
        f'?t={_time(random, number)} HTTP/1.1" {random.choice((200, 200, 200, 400, 404))} {random.randrange(9999)} "-"'
        f' "Stripe/1.0 (+https://stripe.com/docs/webhooks)" {random.random():.6f} trace={random.getrandbits(64)}'
    )


def _structured(random: Random, number: int) -> str:
    entry = {
        "timestamp": _time(random, number),
        "level": random.choice(("info", "debug", "warning")),
        "trace_id": f"{random.getrandbits(128):032x}",
        "span_id": f"{random.getrandbits(64):016x}",
        "dd.trace_id": str(random.getrandbits(63)),
        "event": _id(random, "evt"),
        "type": random.choice(_EVENTS),
        "request_id": _uuid(random),
        "duration_ns": random.getrandbits(40),
    }
    return json.dumps(entry)


def _stripe(random: Random, number: int) -> str:
    now = _time(random, number) // 1000
    entry = {
        "id": _id(random, "in"),
        "object": "invoice",
        "account_country": "DE",
        "amount_due": random.randrange(100, 10**7),
        "charge": _id(random, "ch"),
        "created": now,
        "customer": _id(random, "cus", 14),
        "period_end": now + 2_592_000,
        "number": f"{random.getrandbits(32):08X}-{random.randrange(10**4):04}",
        "last4": f"{random.randrange(10**4):04}",
        "exp_month": random.randrange(1, 13),
        "exp_year": 2031,
        "fingerprint": "".join(random.choices(_ALPHABET, k=16)),
        "payment_method": _id(random, "card"),
    }
    return json.dumps(entry, separators=(",", ":"))


def _text(random: Random, number: int) -> str:
    stamp = f"2026-11-23 05:{number // 60 % 60:02}:{number % 60:02},{random.randrange(1000):03}"
    what = random.choice(
        (
            f"order {_digits(random, 16)} shipped, tracking number {_digits(random, 20)}",
            f"order_id={_digits(random, 16)} invoice={_digits(random, 15)} amount={_digits(random, 6)}",
            f"called +49{_digits(random, 11)} and 0{_digits(random, 3)} {_digits(random, 4)} {_digits(random, 4)}",
            f"imei={_digits(random, 15)} iccid={_digits(random, 19)} ean={_digits(random, 13)}",
            f"gc: {random.random() * 1e9:.9f}s, heap {_digits(random, 10)} of {_digits(random, 11)} bytes",
            f"lat={random.uniform(-90, 90):.15f} lon={random.uniform(-180, 180):.15f}",
            f"total EUR {random.randrange(10**6):,}.{random.randrange(100):02}, card ending {number % 10_000:04}",
            f"card {_digits(random, 6)}******{random.randrange(10**4):04} declined",
            f"session 0x{random.getrandbits(64):016x} snowflake id {_digits(random, 18)} seq={number}",
            f"commit {random.getrandbits(160):040x} built in {random.randrange(10**6)} ms",
            f"user id: {_digits(random, 12)}, customer_id {_digits(random, 14)}, session={_digits(random, 16)}",
            f"offset={_digits(random, 13)} lsn={random.getrandbits(32):X}/{random.getrandbits(32):X} xid={number}",
        )
    )
    return f"{stamp} INFO billing.worker[{random.randrange(10**5)}]: {what}"


def _image(random: Random, _number: int) -> str:
    return "background:url(data:image/png;base64," + base64.b64encode(random.randbytes(300)).decode() + ")"


def _script(random: Random, _number: int) -> str:
    table = ",".join(str(random.getrandbits(random.choice((8, 16, 24, 32)))) for _ in range(24))
    names = random.choices("abcdefghijklmnopqrstuvwxyz", k=4)
    return (
        f"!function({','.join(names)}){{var {names[0]}=[{table},4503599627370496,9007199254740991],"
        f"{names[1]}=0x{random.getrandbits(52):x};"
        f"return {names[2]}[{names[3]}>>>{random.randrange(32)}]^{random.random()}*1e{random.randrange(20)}}}();"
    )


def _metric(random: Random, number: int) -> str:
    return (
        f'http_request_duration_seconds_bucket{{route="{random.choice(_ROUTES)}",le="{random.random():.3f}"}} '
        f"{random.getrandbits(40)} {_time(random, number)}"
    )


#: How often each kind comes, of a hundred.
_KINDS: tuple[tuple[int, Callable[[Random, int], str]], ...] = (
    (24, _access),
    (24, _structured),
    (20, _stripe),
    (20, _text),
    (2, _image),
    (2, _script),
    (8, _metric),
)


def clean_lines(seed: int, count: int) -> Iterator[bytes]:
    """Return so many lines, the same for the same seed."""
    random = Random(seed)
    kinds = [kind for share, kind in _KINDS for _ in range(share)]
    for number in range(count):
        yield random.choice(kinds)(random, number).encode() + b"\n"
