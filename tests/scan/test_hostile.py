import base64
import gzip
import json
import os
import struct
import subprocess
import sys
import zlib
from collections import Counter
from random import Random

import pytest

from payproof.detectors import pan
from payproof.domain.finding import Confidence
from payproof.registry import detectors_at_rest
from payproof.scan import groups
from payproof.scan.blocks import BLOCK, Blocks
from payproof.scan.canaries import Canaries, Canary
from payproof.scan.own_values import OwnValues
from payproof.scan.pieces import Unread
from payproof.scan.scanner import _MOST_LOOKS, Scanner
from payproof.scan.values import scan_value, scan_values
from tests.scan._hostile import HOSTILE
from tests.scan._writing import BYTE_CODECS

SCANNER = Scanner(detectors_at_rest())
CARD = b"card 4242424242424242 "
MOST = 200  # MiB, of the whole process


@pytest.mark.thorough
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_bounded(name):
    """Whatever the input, memory and time are bounded, and what was not read is told."""
    # Coverage would count its own memory, and takes ten times as long.
    unmeasured = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}
    command = [sys.executable, "-m", "tests.scan._hostile", name]
    done = subprocess.run(command, env=unmeasured, capture_output=True, text=True, timeout=300, check=True)
    told = json.loads(done.stdout)
    assert told["peak"] < MOST
    assert told["seconds"] < 60
    assert (told["unread"] > 0) is HOSTILE[name][1]


LOOKS = {
    "groups": ([b"6212 ", b"6212-3456.7890 1234/"], groups, "_read_groups"),
    "numbers": ([b"6212345678901234\n", b"62123456789012 ", b"6212 ", b"4242424242424242,"], pan, "rate_card_number"),
}


@pytest.mark.thorough
@pytest.mark.parametrize("at_least", ["low", "medium"])
@pytest.mark.parametrize("sort", LOOKS)
def test_looks_at_single_numbers_are_bounded(monkeypatch, sort, at_least):
    """However many digits look like a card's, so many in a block are looked at one by one, and the rest is told."""
    texts, module, name = LOOKS[sort]
    counted, look = Counter(), getattr(module, name)

    def counting(*given):
        counted[text] += 1
        return look(*given)

    monkeypatch.setattr(module, name, counting)
    scanner = Scanner(detectors_at_rest(), Confidence(at_least))
    for text in texts:
        data = text * (2 * BLOCK // len(text))
        found = list(scanner.stream([data]))
        blocks = len(list(Blocks([data])))
        assert 0 < counted[text] <= _MOST_LOOKS * blocks
        assert len(data) / counted[text] > 200  # bytes
        # What could not be judged is never left out silently.
        assert counted[text] < 2000 * blocks or unread(found), text


def test_what_follows_many_numbers_in_another_block_is_searched():
    """The bound holds for a block: what stands in the next one is found all the same."""
    data = b"6212 " * (BLOCK // 5) + b"x" * BLOCK + b" " + CARD
    found = SCANNER.scan(data)
    assert unread(found) == [f"more than {_MOST_LOOKS} numbers in groups in one block: the rest was not judged"]
    assert [one.kind for one in found if not isinstance(one, Unread)][-1] == "pan"


def unread(found):
    """Return why parts were not read."""
    return [one.why for one in found if isinstance(one, Unread)]


def test_what_stands_before_the_end_of_a_cut_archive_is_searched():
    """Of compressed data that is cut or corrupt, the part that can be read is searched."""
    packed = gzip.compress(CARD + bytes(range(256)) * 99, mtime=0)
    found = SCANNER.scan(packed[: len(packed) // 2])
    assert "pan" in {getattr(one, "kind", "") for one in found}
    assert unread(found)


def test_what_only_looks_like_an_archive_is_no_gap():
    """Deflate data that ends early has been searched, and the pixels of an image are no characters."""
    packed = zlib.compress(CARD + Random(1).randbytes(90_000))
    found = SCANNER.scan(packed[:50_000])
    assert "pan" in {getattr(one, "kind", "") for one in found}
    assert not unread(found)
    assert not unread(SCANNER.scan(packed[:50_000] + b"\xff" * 90_000))  # what is not compressed stands there as it is
    text = zlib.compress(CARD + Random(1).randbytes(90_000).hex().encode())
    assert unread(SCANNER.scan(text[:50_000] + Random(2).randbytes(90_000)))
    chunks = (packed[at : at + 32_000] for at in range(0, len(packed), 32_000))
    image = b"".join(struct.pack(">I", len(part)) + b"IDAT" + part + b"\xff" * 4 for part in chunks)
    assert not unread(SCANNER.scan(b"\x89PNG\r\n\x1a\n" + image))
    assert not unread(SCANNER.scan(base64.b64encode(b"\x89PNG\r\n\x1a\n" + image)))


@pytest.mark.parametrize(
    "text",
    [
        b'if data.startswith(b"PK\x03\x04") or data.startswith(b"\x1f\x8b\x08\x00"): ...',
        json.dumps("signature = PK\x03\x04, then what the reader expects").encode(),
        b"\x7fELF" + b"PK\x03\x04\x40\x00\x80\x07\x4b\x45" + bytes(range(64)),
        b"\x7fELF" + b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + b"\xff" * 300,
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
        b"glyphs " + b"\x78\x01" + struct.pack("<BHH", 1, 3000, 3000 ^ 0xFFFF) + b"y" * 3000 + b"and more",
    ],
    ids=["code", "string", "zip in a program", "gzip in a program", "header", "font"],
)
def test_a_sign_that_archives_begin_with_is_no_archive(text):
    """Programs, fonts and source files hold the signs that archives begin with: nothing there was left unread."""
    assert not unread(SCANNER.scan(text))


def test_an_archive_that_goes_on_in_the_next_block_is_read():
    """What compressed data holds behind the end of a block is found, however far behind."""
    noise = Random(1).randbytes(2_000_000)
    packed = gzip.compress(noise + CARD, mtime=0)
    found = list(SCANNER.stream([b"-" * 1_000_000 + packed + b"-" * 1_000_000]))
    assert {getattr(one, "kind", "") for one in found} == {"pan"}
    assert not unread(found)


def test_why_something_was_not_read_is_told():
    """A bomb, a cut archive and an encrypted one are told apart."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = packer.compress(b" " * 2**26) + packer.flush()
    assert unread(SCANNER.scan(bomb)) == ["gzip data expands more than 200 times: the rest was not read"]
    archive = bytearray(BYTE_CODECS["zip"](CARD))
    archive[6] |= 1
    assert unread(SCANNER.scan(bytes(archive))) == ["zip entry is encrypted"]
    archive[6], archive[8] = 0, 14
    assert unread(SCANNER.scan(bytes(archive))) == ["zip entry is compressed by method 14"]
    (cut,) = unread(SCANNER.scan(gzip.compress(CARD * 99)[:30]))
    assert cut.startswith("gzip data is cut after ")


def test_archives_within_too_many_encodings_are_told():
    """What is compressed more often than is decoded is told as not read."""
    data = CARD
    for _ in range(4):
        data = gzip.compress(data, mtime=0)
    (one,) = SCANNER.scan(data)
    assert one == Unread(0, "compressed data within too many encodings: not read", ("gzip",) * 3)


def test_deep_values_are_told():
    """A value nested deeper than the bound does not break the search of the others."""
    deep = []
    for _ in range(100_000):
        deep = [deep]
    found = list(scan_values(SCANNER, [(1, "a", deep), (2, "card_number", 4242424242424242)]))
    assert [place for place, _ in found] == [1, 2]
    assert unread(one for _, one in found)


def test_many_hits_are_told_up_to_a_bound():
    """A list of numbers is told up to a bound for each block, and that there are more is told."""
    found = SCANNER.scan(CARD * 5000)
    assert sum(not isinstance(one, Unread) for one in found) == 2000
    assert unread(found) == ["more than 2000 hits of pan in one block: the rest is not reported"]


def test_keys_of_objects_are_searched():
    """A number that is a key is found, too."""
    assert [hit.kind for hit in scan_value(SCANNER, "data", {"4242424242424242": True})] == ["pan"]


def test_the_bound_is_for_each_value_of_a_database():
    """However many numbers there are in other rows, each value is judged."""
    rows = [
        (number, "order_id", text) for number, text in enumerate(["4242 4242 4242 4241", "6212345678901234"] * 6000)
    ]
    found = list(scan_values(SCANNER, [*rows, ("last", "card_number", "4000 0512 3456 7894")]))
    assert [(place, one.kind) for place, one in found] == [("last", "pan")]


def own(*values):
    """Return a search for values of a run's own."""
    return Scanner([OwnValues(Canaries(Canary("name", value.decode(), value) for value in values))], Confidence.CERTAIN)


def times(found):
    """Return how often each value was found; nothing may be left unread."""
    assert unread(found) == []
    total = Counter()
    for hit in found:
        total[hit.what] += hit.times
    return total


def test_values_of_a_run_are_counted_however_often_they_come():
    """Made-up values that fill a block are counted to the last, and what comes once behind them is found, too."""
    ada, bob = b"Ada Lovelace 1815", b"Bob Babbage 1791"
    data = (ada + b"\n") * 30_000 + bob
    found = own(ada, bob).scan(data)
    assert times(found) == {f"name ({ada.decode()})": 30_000, f"name ({bob.decode()})": 1}
    assert len(found) < 2100


def test_values_of_a_run_are_counted_across_blocks_and_columns():
    """Over several blocks none is counted twice or lost, and in many small values each is of its own source."""
    ada = b"Ada Lovelace 1815"
    found = list(own(ada).stream([(ada + b",") * 45_000] * 2))
    assert times(found) == {f"name ({ada.decode()})": 90_000}
    assert len(found) < 2100 * 3
    cells = [(column, "a", ada.decode()) for column in range(40) for _ in range(100)]
    by_column = Counter()
    for column, hit in scan_values(own(ada), cells):
        by_column[column] += hit.times
    assert by_column == dict.fromkeys(range(40), 100)


def test_values_of_a_run_are_counted_in_what_is_encoded():
    """In decoded data they are counted as well."""
    ada = b"Ada Lovelace 1815"
    lines = b"".join(b"%s %d\n" % (ada, number * number % 99_991) for number in range(10_000))
    assert times(own(ada).scan(gzip.compress(lines))) == {f"name ({ada.decode()})": 10_000}
