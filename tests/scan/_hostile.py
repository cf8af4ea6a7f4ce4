"""Input that is made to exhaust a scanner: each is a stream of chunks. Run as a program it scans one and tells how."""

import base64
import gzip
import io
import json
import struct
import sys
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random

from payproof.domain.finding import Confidence
from payproof.registry import detectors_at_rest
from payproof.scan.luhn import check_digit
from payproof.scan.pieces import Unread
from payproof.scan.scanner import Scanner

__all__ = ["HOSTILE"]

_MIB = 1024 * 1024


def _bomb(bits: int, size: int = 512) -> bytes:
    """Return so many MiB of spaces, compressed."""
    packer = zlib.compressobj(9, zlib.DEFLATED, bits)
    return b"".join(packer.compress(b" " * _MIB) for _ in range(size)) + packer.flush()


def _zip_bomb() -> bytes:
    target = io.BytesIO()
    with (
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("x", "w") as entry,
    ):
        for _ in range(512):
            entry.write(b"\0" * _MIB)
    return target.getvalue()


def _lying_zip() -> bytes:
    """Return entries whose headers state lengths and sizes that they do not have."""
    header = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, 1, 0xFFFFFFFF, 8, 0xFFFF)
    return (header + b"card.txt") * 40_000


def _nested_gzip() -> bytes:
    data = _bomb(31, 256)
    for _ in range(8):
        data = gzip.compress(data * 4, mtime=0)
    return data


def _stored_headers() -> bytes:
    """Return the starts of gzip data, each with a stored block that spans those after it."""
    head = b"\x1f\x8b\x08\0\0\0\0\0\0\x03" + b"\x01" + struct.pack("<HH", 0xFFF0, 0x000F)
    return head * 70_000


def _numbers() -> bytes:
    body = ["40000512345" + f"{number:04}" for number in range(10_000)]
    return "\n".join(one + check_digit(one) for one in body).encode() + b"\n"


def _repeated(data: bytes, size: int = 6) -> Iterator[bytes]:
    chunk = data * max(1, _MIB // len(data))
    for _ in range(size * _MIB // len(chunk)):
        yield chunk


def _random() -> Iterator[bytes]:
    random = Random(1)
    for _ in range(24):
        yield random.randbytes(_MIB)


#: By name; whether something must be told as not read.
HOSTILE: Mapping[str, tuple[Callable[[], Iterator[bytes]], bool]] = {
    "gzip bomb": (lambda: iter([_bomb(31)]), True),
    "deflate bomb": (lambda: iter([_bomb(15)]), True),
    "gzip bomb in base64": (lambda: iter([base64.b64encode(_bomb(31))]), True),
    "gzip bomb in hexadecimal digits": (lambda: iter([_bomb(31).hex().encode()]), True),
    "gzip bombs": (lambda: _repeated(_bomb(31, 16) * 8, 8), True),
    "gzip in gzip": (lambda: iter([_nested_gzip()]), True),
    "zip bomb": (lambda: iter([_zip_bomb()]), True),
    "zip that lies": (lambda: iter([_lying_zip()]), True),
    "cut gzip": (lambda: iter([gzip.compress(b"some text, and more of it " * 99)[:60]]), True),
    "corrupt gzip": (lambda: iter([gzip.compress(Random(1).randbytes(9000))[:5000] + b"\xff" * 5000]), True),
    "gzip in stored blocks": (lambda: iter([_stored_headers()]), True),
    "starts of deflate": (lambda: _repeated(b"x\x9c", 1), False),
    "card numbers": (lambda: _repeated(_numbers(), 12), True),
    "escapes": (lambda: _repeated(b"\\u0034"), False),
    "percent signs": (lambda: _repeated(b"%34"), False),
    "entities": (lambda: _repeated(b"&#52;"), False),
    "backslashes": (lambda: _repeated(b"\\"), False),
    "digits": (lambda: _repeated(b"4"), False),
    "groups of digits": (lambda: _repeated(b"4000 "), False),
    "groups of a brand without check digits": (lambda: _repeated(b"6212 "), True),
    "numbers of a brand without check digits": (lambda: _repeated(b"6212345678901234\n"), True),
    "groups of digits by different separators": (lambda: _repeated(b"6212-3456.7890 1234/"), True),
    "hexadecimal digits": (lambda: _repeated(b"34"), False),
    "base64 of digits": (lambda: _repeated(base64.b64encode(b"424242424242" * 99)), False),
    "wide digits": (lambda: _repeated("\uff14".encode()), False),
    "utf-16": (lambda: _repeated("4 ".encode("utf-16-le")), False),
    "brackets": (lambda: _repeated(b"["), False),
    "keys": (lambda: _repeated(b'"cvc":'), False),
    "addresses": (lambda: _repeated(b"a://b:c"), False),
    "tokens": (lambda: _repeated(base64.b64encode(b'{"alg":' + b'{"a":' * 999)), False),
    "random bytes": (_random, False),
}


def main() -> None:
    """Scan one and print the peak memory in MiB, the seconds, and how often something was not read."""
    make, _ = HOSTILE[sys.argv[1]]
    scanner = Scanner(detectors_at_rest(), Confidence.LOW)
    scanner.scan(b"x")
    chunks = make()
    started = time.process_time()
    unread = sum(isinstance(one, Unread) for one in scanner.stream(chunks))
    # Not getrusage, which counts what the process was before it became this program.
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024
    told = {"peak": peak, "seconds": time.process_time() - started, "unread": unread}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
