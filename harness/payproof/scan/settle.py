"""Reports one hit for one value, though it was found in two ways, or as part of another; counts what is there often."""

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from typing import Any

from payproof.domain.detector import Hit

__all__ = ["count_alike", "drop_inner", "settle_hits"]


def drop_inner(hits: Iterable[Hit]) -> Iterator[Hit]:
    """Yield the hits of one text without those that are part of another hit that is at least as sure."""
    kept: list[Hit] = []
    for hit in sorted(hits, key=lambda one: (one.start, -one.end, -one.confidence.rank)):
        kept = [one for one in kept if one.end > hit.start]
        if not any(one.end >= hit.end and one.confidence.rank >= hit.confidence.rank for one in kept):
            kept.append(hit)
            yield hit


def settle_hits(hits: Iterable[Hit]) -> list[Hit]:
    """Return hits in the order of the data, each value once: in the way that is surest, then in the shortest."""
    best: dict[tuple[str, str, int | None], list[Hit]] = {}
    for hit in sorted(hits, key=lambda one: one.start):
        known = best.setdefault((hit.kind, hit.shown, hit.within), [])
        if known and known[-1].end > hit.start:
            if _rank(hit) > _rank(known[-1]):
                known[-1] = hit
        else:
            known.append(hit)
    return sorted(
        (hit for known in best.values() for hit in known), key=lambda one: (one.start, one.within or 0, one.end)
    )


def _rank(hit: Hit) -> tuple[int, int]:
    return hit.confidence.rank, -len(hit.path)


def count_alike(found: Iterable[tuple[Any, Any]], kinds: Container[str], most: int) -> Iterator[tuple[Any, Any]]:
    """Yield what was found with its source. Of some kinds only so many hits come one by one; the others are counted.

    The memory that is needed depends on how many different things there are, not on how often they are there.
    """
    seen = 0
    more: dict[tuple[Any, ...], tuple[Any, Hit]] = {}
    for source, one in found:
        if isinstance(one, Hit) and one.kind in kinds:
            seen += 1
            if seen > most:
                key = (source, one.what, one.form, one.path)
                first = more.get(key)
                more[key] = source, one if first is None else replace(first[1], times=first[1].times + one.times)
                continue
        yield source, one
    yield from more.values()
