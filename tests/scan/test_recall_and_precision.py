from collections import Counter
from itertools import chain
from random import Random

import pytest

from payproof.domain.detector import Hit
from payproof.domain.finding import Confidence
from payproof.registry import detectors_at_rest
from payproof.scan.scanner import Scanner
from tests.scan._corpus import CANARIES, clean, decoys, planted
from tests.scan._logs import clean_lines
from tests.scan._secrets import leaks, masked_secrets
from tests.scan._ways import TYPED, WAYS

#: The least share of what is planted that is found, and of what is found that was planted; they only go up.
RECALL = PRECISION = 1.0
LINES = 80_000
SEED = 20_261_123


@pytest.fixture(scope="module")
def scanner():
    """Everything that looks for data at rest, in the default confidence."""
    return Scanner(detectors_at_rest(CANARIES))


def test_recall_and_precision_of_each_detector(scanner, record_property):
    """Each detector finds its data in every encoding and context, and nothing where there is none of it."""
    counted = {one.name: Counter() for one in detectors_at_rest(CANARIES)}
    failures = []
    for sample in chain(planted(SEED), clean(SEED)):
        hits = sample.searched(scanner)
        kinds = {hit.kind for hit in hits if isinstance(hit, Hit)}
        if sample.kind is not None:
            right = any(
                isinstance(hit, Hit) and hit.kind == sample.kind and sample.shown in {None, hit.shown} for hit in hits
            )
            counted[sample.kind].update(planted=1, right=right)
            if not right:
                failures.append((sample.kind, sample.how, "missed"))
        for wrong in kinds - {sample.kind} - sample.also:
            counted[wrong].update(wrong=1)
            failures.append((wrong, sample.how, "wrong"))
    record_property("table", _table(counted))
    assert not failures, Counter(failures).most_common(20)
    for name, count in counted.items():
        assert count["right"] >= RECALL * count["planted"], name
        assert count["right"] >= PRECISION * (count["right"] + count["wrong"]), name
        assert count["planted"] >= 20, name


def _table(counted):
    lines = [f"{'data at rest':<18} planted   found   wrong  recall  precision"]
    for name, count in sorted(counted.items()):
        recall = count["right"] / count["planted"] if count["planted"] else 1
        precision = count["right"] / (count["right"] + count["wrong"]) if count["right"] else 0
        row = (f"{count[key]:>7}" for key in ("planted", "right", "wrong"))
        lines.append(f"{name:<18} {' '.join(row)} {recall:>7.3f} {precision:>10.3f}")
    return "\n".join(lines)


def test_there_are_as_many_ways_as_the_specification_counts():
    """The corpus holds at least the 43 ways to write a number and the 14 decoys that other tools were measured on."""
    assert len(WAYS) + len(TYPED) >= 43
    assert len(decoys()) >= 14


def test_clean_log_lines(scanner, record_property):
    """In 80,000 clean lines there is at most one hit, of any kind, in the default confidence."""
    data = b"".join(clean_lines(SEED, LINES))
    found = scanner.scan(data)
    sure = [one for one in found if isinstance(one, Hit) and one.confidence.rank >= Confidence.HIGH.rank]
    record_property(
        "table", f"clean lines {LINES}, {len(data)} bytes: {len(found)} hits, {len(sure)} in high confidence"
    )
    assert len(found) <= 1, [data[one.start - 60 : one.start + 40] for one in found]


def test_numbers_that_nothing_names_are_never_told_in_high_confidence(scanner, record_property):
    """Random digits without a name are card numbers by chance as often as the standard allows, and told as a guess."""
    random = Random(SEED)
    lines = [f"worker done {random.randrange(10 ** (n - 1), 10**n)} in 3 s\n".encode() for n in (16, 19) * 20_000]
    found = scanner.scan(b"".join(lines))
    record_property("table", f"{len(lines)} random numbers of 16 and 19 digits without a name: {len(found)} hits")
    assert {one.confidence for one in found} == {Confidence.MEDIUM}
    assert len(found) < 0.035 * len(lines)


@pytest.mark.parametrize("seed", range(20))
def test_every_way_to_leak_a_secret_of_stripe_is_found(scanner, seed):
    """Every known way to leak a key, a webhook secret or a client secret are found, and no masked form is."""
    random = Random(seed)
    for how, (kind, data) in leaks(random).items():
        assert kind in {one.kind for one in scanner.scan(data)}, how
    for data in masked_secrets(random):
        assert not scanner.scan(data)
