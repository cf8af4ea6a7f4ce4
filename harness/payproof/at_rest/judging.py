"""Which traces count: waived and known ones are told, too, but break nothing. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from payproof.domain.finding import Confidence
from payproof.domain.trace import NotRead, ScanReport, Searched, Standing, Told, Trace
from payproof.language.waiver_file import TraceWaiver

__all__ = ["judged"]


def judged(
    told: Iterable[Told],
    *,
    at_least: Confidence | None,
    waivers: Sequence[TraceWaiver] = (),
    known: Mapping[str, int] | None = None,
    today: date,
    interrupted: bool = False,
) -> ScanReport:
    """Say of each trace where it stands.

    Args:
        told: what a search has told.
        at_least: the confidence from which on a trace counts; None for medium in stores and high in files, where lines
            are full of numbers.
        waivers: what the owner accepts; over, they count no more.
        known: how many traces of each fingerprint were there before.
        today: the day that decides whether a waiver is over.
        interrupted: whether the search was broken off.
    """
    everything = list(told)
    left = dict(known or {})
    used: set[str] = set()
    traces: list[tuple[Trace, Standing, str]] = []
    for trace in (one for one in everything if isinstance(one, Trace)):
        fitting = [one for one in waivers if one.fits(trace)]
        used |= {one.name for one in fitting}
        waiver = next((one for one in fitting if one.expires >= today), None)
        if waiver is not None:
            traces.append((trace, Standing.WAIVED, f"{waiver.reason} (until {waiver.expires})"))
            continue
        before = min(left.get(trace.fingerprint, 0), trace.count)
        if before:
            left[trace.fingerprint] -= before
            traces.append((replace(trace, count=before), Standing.KNOWN, ""))
        if trace.count > before:
            traces.append((replace(trace, count=trace.count - before), _standing(trace, at_least), ""))
    notes = [f"{one.name} is over since {one.expires}: {one.reason}" for one in waivers if one.expires < today]
    notes += [f"{one.name} matches nothing: {one.reason}" for one in waivers if one.name not in used]
    return ScanReport(
        tuple(traces),
        tuple(one for one in everything if isinstance(one, NotRead)),
        tuple(one for one in everything if isinstance(one, Searched)),
        tuple(notes),
        interrupted,
    )


def _standing(trace: Trace, at_least: Confidence | None) -> Standing:
    if at_least is None:
        at_least = Confidence.MEDIUM if trace.place.table else Confidence.HIGH
    return Standing.NEW if trace.confidence.rank >= at_least.rank else Standing.LISTED
