"""Detectors that say where it is worth looking, so that a search costs little where there is nothing.

Any other detector is given all of each text, which takes as long as it takes.
"""

import re
from abc import abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from payproof.domain.detector import Detector, Hit
from payproof.scan.streams import Bits
from payproof.scan.view import View

__all__ = ["AnchoredDetector", "PreparedDetector"]


class AnchoredDetector(Detector):
    """A detector that is given the bytes around each place where its anchor is true."""

    #: An expression of bits that is true at each place of a text that could belong to a hit.
    anchor: ClassVar[Bits]
    #: How many bytes before and after an anchor ``find`` is given.
    reach: ClassVar[tuple[int, int]] = (256, 256)
    #: What has to match at an anchor, where not every anchor is worth a look.
    begins: ClassVar[re.Pattern[bytes] | None] = None


class PreparedDetector(Detector):
    """A detector that is given each text once, prepared by the scanner: its digits, fields and columns."""

    @property
    def anchor(self) -> Bits | None:
        """An expression of bits whose places the view is to know as ``detector NAME``."""
        return None

    @abstractmethod
    def search(self, view: View) -> Iterable[Hit]:
        """Return the places in a prepared text."""
