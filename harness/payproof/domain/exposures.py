"""Makes findings of sensitive values that the run's ledger has seen in observations."""

from payproof.domain.finding import Finding, Spot
from payproof.domain.kind import Kind, name_kind
from payproof.domain.observation import LogLines
from payproof.domain.sensitive import Exposure
from payproof.domain.spots import spot_of_line

__all__ = ["finding_of_exposure", "spot_of_exposed_line"]


def finding_of_exposure(
    check: str,
    exposure: Exposure,
    place: str,
    step: int,
    spot: Spot,
    *,
    kind: Kind | None = None,
    evidence: tuple[str, ...] = (),
) -> Finding:
    """Return the finding of a check for a value seen in ``place``; its kind is the value's, unless one is given."""
    return Finding(
        check,
        "no sensitive value",
        f"{exposure.kind} ({exposure.label}) in {place}, {exposure.where}",
        step,
        evidence=evidence,
        what=exposure.kind,
        kind=kind or name_kind(exposure.kind, exposure.label),
        spot=spot,
    )


def spot_of_exposed_line(lines: LogLines, exposure: Exposure) -> Spot:
    """Return the spot of the log's line that holds the value, or of the log where the line is not known."""
    return spot_of_line(lines.source, "" if exposure.line is None else lines.lines[exposure.line])
