"""Ways in which a value is written: made-up card numbers, their groups and scripts, encodings that can be nested."""

import base64
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from itertools import accumulate, pairwise
from random import Random
from urllib.parse import quote

from payproof.scan.brands import Brand, brand_of
from payproof.scan.luhn import check_digit

__all__ = [
    "BYTE_CODECS",
    "GROUPS",
    "SCRIPTS",
    "SEPARATORS",
    "TEXT_CODECS",
    "WIDE",
    "grouped",
    "pan",
    "parts_of",
    "spelled",
]

SEPARATORS: Mapping[str, str] = {
    "space": " ",
    "no-break space": "\u00a0",
    "narrow no-break space": "\u202f",
    "tab": "\t",
    "dash": "-",
    "en dash": "\u2013",
    "em dash": "\u2014",
    "dot": ".",
    "underscore": "_",
    "slash": "/",
    "newline": "\n",
}
GROUPS: Mapping[int, tuple[int, ...]] = {
    14: (4, 6, 4),
    15: (4, 6, 5),
    16: (4, 4, 4, 4),
    19: (4, 4, 4, 4, 3),
}
SCRIPTS: Mapping[str, int] = {
    "ascii": 0x30,
    "full-width": 0xFF10,
    "arabic": 0x660,
    "persian": 0x6F0,
    "devanagari": 0x966,
    "thai": 0xE50,
    "mathematical": 0x1D7CE,
}


def pan(brand: Brand, length: int, random: Random) -> str:
    """Return a made-up number of a brand, with a right check digit, that no other brand's narrower range takes."""
    while True:
        low, _, high = random.choice(brand.starts).partition("-")
        start = str(random.randint(int(low), int(high or low)))
        body = start + "".join(random.choices("0123456789", k=length - 1 - len(start)))
        number = body + check_digit(body)
        found = brand_of(number)
        if found and found[0].name == brand.name:
            return number


def parts_of(number: str) -> list[str]:
    """Return the groups in which a number of its length is printed."""
    ends = list(accumulate(GROUPS.get(len(number), (len(number),)), initial=0))
    return [number[first:last] for first, last in pairwise(ends)]


def spelled(number: str, zero: int) -> str:
    """Return a number in the digits of a script, of which the code of zero is given."""
    return "".join(chr(zero + int(digit)) for digit in number)


def grouped(number: str, separator: str) -> str:
    """Return a number in the groups in which one of its length is printed; a newline stands only once."""
    parts = parts_of(number)
    if separator == "\n":
        return " ".join(parts[:2]) + "".join("\n" + " ".join(parts[2:]) if parts[2:] else "")
    return separator.join(parts)


def _lines(width: int, end: str) -> Callable[[bytes], str]:
    def write(data: bytes) -> str:
        text = base64.b64encode(data).decode()
        return end.join(text[place : place + width] for place in range(0, len(text), width))

    return write


def _zip(data: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.txt", data)
    return target.getvalue()


def _token(data: bytes) -> str:
    parts = (b'{"alg":"HS256","typ":"JWT"}', data, b"\x93\x01\xf0signature bytes here and more")
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


#: From text to text: what escapes characters.
TEXT_CODECS: Mapping[str, Callable[[str], str]] = {
    "json": json.dumps,
    "json, all": lambda text: "".join(f"\\u{unit:04x}" for unit in memoryview(text.encode("utf-16")[2:]).cast("H")),
    "url": quote,
    "url, all": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "html": lambda text: (
        text.replace("&", "&amp;").replace("\u00a0", "&nbsp;").encode("ascii", "xmlcharrefreplace").decode()
    ),
    "html, all": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "html, all hex": lambda text: "".join(f"&#x{ord(character):x};" for character in text),
}

#: From bytes to text or bytes.
BYTE_CODECS: Mapping[str, Callable[[bytes], str | bytes]] = {
    "base64": lambda data: base64.b64encode(data).decode(),
    "base64, unpadded": lambda data: base64.b64encode(data).decode().rstrip("="),
    "base64url": lambda data: base64.urlsafe_b64encode(data).decode(),
    "base64, 64": _lines(64, "\n"),
    "base64, 76": _lines(76, "\r\n"),
    "hex": bytes.hex,
    "HEX": lambda data: data.hex().upper(),
    "url of bytes": lambda data: "".join(f"%{byte:02x}" for byte in data),
    "gzip": lambda data: gzip.compress(data, mtime=0),
    "zlib": zlib.compress,
    "zip": _zip,
    "jwt": _token,
}

#: From text to bytes.
WIDE = {"utf-16-le": lambda text: text.encode("utf-16-le"), "utf-16-be": lambda text: text.encode("utf-16-be")}
