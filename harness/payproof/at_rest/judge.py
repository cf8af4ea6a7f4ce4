"""Judges which leaks count: waived and known ones are reported too, but break nothing. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from payproof.domain.accepted import AcceptedRisk
from payproof.domain.finding import Confidence
from payproof.domain.leak import Leak, LeakStatus, LeftOut, NotRead, ScanReport, SearchEvent, UnitSearched

__all__ = ["judge_leaks"]


def judge_leaks(
    events: Iterable[SearchEvent],
    *,
    at_least: Confidence | None,
    waivers: Sequence[AcceptedRisk] = (),
    known: Mapping[str, int] | None = None,
    today: date,
    interrupted: bool = False,
) -> ScanReport:
    """Return a report that gives each leak its status.

    Args:
        events: what a search has yielded.
        at_least: the confidence from which on a leak counts; None for medium in stores and high in files, where lines
            are full of numbers.
        waivers: what the owner accepts; over, they count no more.
        known: how many leaks of each fingerprint were there before.
        today: the day that decides whether a waiver is over.
        interrupted: whether the search was broken off.
    """
    everything = list(events)
    left = dict(known or {})
    used: set[str] = set()
    leaks: list[tuple[Leak, LeakStatus, str]] = []
    for leak in (one for one in everything if isinstance(one, Leak)):
        kind, fingerprint, place = leak.kind, leak.fingerprint, str(leak.place)
        fitting = [one for one in waivers if one.fits(kind=kind, fingerprint=fingerprint, location=place)]
        used |= {one.name for one in fitting}
        waiver = next((one for one in fitting if one.expires >= today), None)
        if waiver is not None:
            leaks.append((leak, LeakStatus.WAIVED, waiver.told))
            continue
        if leak.in_tree and leak.allowed:
            leaks.append((leak, LeakStatus.WAIVED, f"{leak.allowed} on its line"))
            continue
        before = min(left.get(leak.fingerprint, 0), leak.count)
        if before:
            left[leak.fingerprint] -= before
            leaks.append((replace(leak, count=before), LeakStatus.KNOWN, ""))
        if leak.count > before:
            leaks.append((replace(leak, count=leak.count - before), _find_status(leak, at_least), ""))
    notes = [f"{one.name} is over since {one.expires}: {one.reason}" for one in waivers if one.expires < today]
    notes += [f"{one.name} matches nothing: {one.reason}" for one in waivers if one.name not in used]
    return ScanReport(
        tuple(leaks),
        tuple(one for one in everything if isinstance(one, NotRead)),
        tuple(one for one in everything if isinstance(one, UnitSearched)),
        tuple(notes),
        interrupted,
        tuple(one for one in everything if isinstance(one, LeftOut)),
    )


def _find_status(leak: Leak, at_least: Confidence | None) -> LeakStatus:
    if leak.is_of_tests:
        return LeakStatus.LISTED
    if at_least is None:
        at_least = Confidence.MEDIUM if leak.place.table else Confidence.HIGH
    return LeakStatus.NEW if leak.confidence.rank >= at_least.rank else LeakStatus.LISTED
