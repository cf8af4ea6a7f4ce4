"""How data is handed over changes nothing of what is found in it."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from payproof.registry import detectors_at_rest
from payproof.scan.blocks import BLOCK, OVERLAP, Blocks
from payproof.scan.brands import BRANDS
from payproof.scan.parallel import scan_parts
from payproof.scan.scanner import Scanner
from tests.effort import examples
from tests.scan._corpus import CANARIES, planted
from tests.scan._logs import clean_lines
from tests.scan._writing import pan

SCANNER = Scanner(detectors_at_rest(CANARIES))
SEAMS = [number * BLOCK + place for number in (1, 2) for place in (-OVERLAP, -BLOCK % 64, -40, -1, 0, 1, 40)]


def made(seed, size):
    """Return a log of about a size, with a sample of the corpus at each of many places and across each seam."""
    random = Random(seed)
    samples = [sample.data for sample in planted(seed, rounds=1) if sample.data and len(sample.data) < OVERLAP]
    random.shuffle(samples)
    lines = clean_lines(seed, 1 << 40)
    parts, place, seams = [], 0, iter(SEAMS)
    seam = next(seams)
    while place < size:
        part = next(lines)
        if place + 400 > seam:
            sample = samples.pop()
            filler = b"#" * max(0, seam - place - len(sample) // 2 - 1)
            part = filler + b"\n" + sample + b"\n"
            seam = next(seams, size * 2)
        elif random.random() < 0.04:
            part = samples.pop() + b"\n"
        parts.append(part)
        place += len(part)
    return b"".join(parts)


@pytest.fixture(scope="module")
def log():
    """A log of a little more than two blocks."""
    return made(5, 2 * BLOCK + 70_000)


@pytest.fixture(scope="module")
def expected(log):
    """What is found in the log when it is one chunk."""
    return list(SCANNER.stream([log]))


def pieces(data, sizes):
    """Cut data into chunks of the given sizes, over and over."""
    place, number = 0, 0
    while place < len(data):
        yield data[place : place + sizes[number % len(sizes)]]
        place += sizes[number % len(sizes)]
        number += 1


def test_much_is_planted(expected):
    """The log holds enough for the other tests to mean something: many hits, of every kind."""
    assert len(expected) > 150
    assert {hit.kind for hit in expected} == {one.name for one in detectors_at_rest(CANARIES)}


@pytest.mark.parametrize(
    "sizes", [(997,), (4096,), (65_536,), (BLOCK,), (BLOCK + 1,), (1, 100_000, 7, 3), (BLOCK - OVERLAP,)], ids=str
)
def test_size_of_chunks_changes_nothing(log, expected, sizes):
    """The same hits are told for chunks of any size."""
    assert list(SCANNER.stream(pieces(log, sizes))) == expected


def test_memory_of_a_chunk_may_be_used_again(log, expected):
    """A source may hand the same buffer over again and again."""

    def chunks():
        buffer = bytearray(30_000)
        for place in range(0, len(log), len(buffer)):
            part = log[place : place + len(buffer)]
            buffer[: len(part)] = part
            yield memoryview(buffer)[: len(part)]

    assert list(SCANNER.stream(chunks())) == expected


@settings(max_examples=examples(60))
@given(shift=st.integers(0, 2 * OVERLAP), seed=st.integers(0, 2**32), way=st.integers(0, 10**6))
def test_place_in_a_block_changes_nothing(shift, seed, way):
    """A value is found wherever it lies to the seam of two blocks, at its place in the stream."""
    samples = _samples()
    sample = samples[way % len(samples)]
    before = BLOCK - 2 * OVERLAP + shift - len(sample) // 2
    lines = b"x = 1\n" * (before // 6 + 1)
    data = lines[:before] + b"\n" + sample + b"\n" + lines[: 3 * OVERLAP]
    alone = [(hit.kind, hit.start + before, hit.end + before, hit.path) for hit in SCANNER.scan(b"\n" + sample + b"\n")]
    assert [(hit.kind, hit.start, hit.end, hit.path) for hit in SCANNER.stream([data])] == alone


def _samples(known=[]):  # noqa: B006 (kept: making them takes longer than the test)
    if not known:
        known += [one.data for one in planted(3, rounds=1) if one.data and len(one.data) < 1500]
    return known


@dataclass(frozen=True)
class Slice:
    """A part of bytes that are in memory."""

    data: bytes
    start: int
    length: int

    def chunks(self, before):
        yield from pieces(self.data[self.start - before :], (50_000,))


@pytest.mark.parametrize("length", [50_000, 300_000, BLOCK, 3 * BLOCK])
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_parts_equal_the_whole(log, expected, executor, length):
    """Parts that any executor searches give what the whole gives, in the same order."""
    parts = [Slice(log, start, min(length, len(log) - start)) for start in range(0, len(log), length)]
    pool = ThreadPoolExecutor(2) if executor == "threads" else ProcessPoolExecutor(2, get_context("spawn"))
    with pool:
        assert list(scan_parts(pool, SCANNER, parts, 2)) == expected


def test_a_part_that_cannot_be_read_is_raised(log):
    """What an executor raises for a part comes out, and nothing is left running."""

    class Broken:
        start, length = 0, 10

        def chunks(self, before):
            raise OSError("the disk is gone")

    with ThreadPoolExecutor(1) as pool, pytest.raises(OSError, match="the disk is gone"):
        list(scan_parts(pool, SCANNER, [Slice(log, 0, 100), Broken(), Slice(log, 100, 100)], 2))


def test_bytes_beyond_a_block_can_be_read():
    """A codec can read on behind its block, and the blocks that follow are whole all the same."""
    data = Random(1).randbytes(3 * BLOCK + 123)
    blocks = Blocks(pieces(data, (100_000,)))
    for block in blocks:
        offset = block.start + block.first
        for ahead in (0, BLOCK, BLOCK + OVERLAP + 7, 2 * BLOCK - 1, 9 * BLOCK):
            place = offset + ahead
            assert blocks.read(block.first + ahead, 2 * BLOCK) == data[place : place + 2 * BLOCK]
        assert bytes(block.data[block.first : block.last]) == data[offset : block.start + block.last]


def test_nothing_at_all():
    """An empty stream holds nothing."""
    assert SCANNER.scan(b"") == []
    assert list(SCANNER.stream([])) == []
    assert list(SCANNER.stream([b"", b""])) == []


def test_number_at_either_end_is_found():
    """A number needs nothing around it."""
    number = pan(BRANDS[7], 16, Random(1)).encode()
    (hit,) = SCANNER.scan(number)
    assert (hit.start, hit.end) == (0, 16)
    (first, second) = SCANNER.stream([number + b"\n" + b"-" * 3 * BLOCK + b"\n" + number])
    assert (first.start, second.end) == (0, 3 * BLOCK + 34)
