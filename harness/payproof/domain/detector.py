"""The family of detectors: what data is looked for, wherever bytes are searched.

A detector gets bytes and returns the positions of one kind of data: a card number, a secret, a stack trace. It is pure,
and takes time that grows with the bytes alone, whatever they are. The scanner undoes encodings, cuts large data into
parts and removes hits within hits; a detector need not.

A detector carries samples. The registry tries it on them, and refuses one that finds nothing in a ``positive`` sample,
finds something in a ``negative`` one, or has none of a sort.

A detector that finds data by its form can say where it is worth looking: see ``AnchoredDetector`` and
``PreparedDetector`` in ``payproof.scan.detector``. A detector stands in ``payproof/detectors/<name>.py``. ``@detector``
of ``payproof.registry`` registers it.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.finding import Confidence, Severity

__all__ = ["GUESSABLE", "MADE_UP", "PUBLISHED_TEST", "Detector", "Hit"]

#: How the words for a number that is nobody's begin: those that Stripe and the networks publish for tests.
PUBLISHED_TEST = "published test"
#: How the words for a secret that anybody would try first begin.
GUESSABLE = "guessable"
#: How the words for a number that is hardly anything but zeros begin.
MADE_UP = "made-up"


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a detector found something: byte offsets, what it is, how surely.

    ``shown`` is what may be shown of a sensitive value, and empty where the bytes themselves may be shown; ``key`` is
    the name that stands before the value. Whoever searched fills in the rest: ``kind`` is the detector's name, ``path``
    the encodings that the value was found in, outermost first. Of a value in compressed data ``start`` and ``end`` are
    those of the compressed data, and ``within`` is the offset in what was decompressed. It stands for so many ``times``
    that the same was found in one text. ``form`` says how a value of the run's own is written, where not as it is.
    """

    start: int
    end: int
    what: str
    confidence: Confidence
    shown: str = ""
    brand: str = ""
    key: str = ""
    kind: str = ""
    path: tuple[str, ...] = ()
    within: int | None = None
    times: int = 1
    form: str = ""


class Detector(ABC):
    """Bytes to positions of one kind of data."""

    #: What the data is called in reports and waivers, which is also the name of the detector's file.
    name: ClassVar[str]
    #: Samples that must each give at least one hit.
    positive: ClassVar[tuple[bytes, ...]]
    #: Samples that must give none.
    negative: ClassVar[tuple[bytes, ...]]
    #: Whether the data is wrong in an answer to a bad request only: logs and stores are not searched for it, and what
    #: good answers show as well is no finding.
    by_error: ClassVar[bool] = False
    #: Whether the detector finds few different things, however often: they are then counted.
    countable: ClassVar[bool] = False
    #: How bad it is that the data is kept at rest.
    severity: ClassVar[Severity] = Severity.HIGH

    @abstractmethod
    def find(self, data: bytes) -> Iterable[Hit]:
        """Return the places in bytes."""

    def severity_of(self, hit: Hit) -> Severity:  # noqa: ARG002 (for those that override it)
        """Return how bad it is that what was found is kept at rest."""
        return self.severity
