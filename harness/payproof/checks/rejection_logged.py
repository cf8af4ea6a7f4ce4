import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from payproof.domain.check import Check
from payproof.domain.finding import Finding, Spot
from payproof.domain.json_path import reach
from payproof.domain.kind import Kind
from payproof.domain.observation import Channel
from payproof.domain.seen import Seen
from payproof.domain.target import RejectionRecord
from payproof.registry import check

__all__ = ["RejectionLogged"]

_LONGEST_CATEGORY = 64

_SPOT = Spot(Channel.LOG, "records of rejections")


@check
@dataclass(frozen=True, slots=True)
class RejectionLogged(Check):
    """Each rejected delivery left a log record with cause category, time, origin and result (PCI DSS 10.2.1.4, 10.2.2).

    The record is a line of JSON; the target file's ``[contract.rejection_record]`` names its fields.
    """

    name: ClassVar[str] = "rejection_logged"
    channels: ClassVar[frozenset[Channel]] = frozenset({Channel.LOG})
    patient: ClassVar[bool] = True

    def judge(self, seen: Seen) -> Iterator[Finding]:
        """Return a finding for each step whose deliveries outnumber its records, and for each empty field."""
        shape = seen.contract.rejection_record
        if shape is None:
            expected, told = "a record of the rejection", "the contract describes none"
            yield Finding(self.name, expected, told, kind=Kind.REFUSAL_UNRECORDED, spot=_SPOT)
            return
        for step in sorted({exchange.step for exchange in seen.exchanges}):
            sent = sum(exchange.step == step for exchange in seen.exchanges)
            found = [r for log in seen.lines if log.step == step for line in log.lines if (r := _record(line, shape))]
            if len(found) < sent:
                expected = f"{sent} records of rejection"
                yield Finding(self.name, expected, f"{len(found)}", step, kind=Kind.REFUSAL_UNRECORDED, spot=_SPOT)
            for record in found:
                for field in ("cause", "time", "origin", "result"):
                    value = reach(record, getattr(shape, field))
                    if value in (None, ""):
                        expected, told = f"a record with its {field}", "none"
                    elif field == "cause" and len(str(value)) > _LONGEST_CATEGORY:
                        expected, told = "a cause category, not a text", f"{len(str(value))} characters"
                    else:
                        continue
                    spot = Spot(Channel.LOG, f"records of rejections, {field}")
                    yield Finding(self.name, expected, told, step, kind=Kind.REFUSAL_RECORD_POOR, spot=spot)


def _record(line: str, shape: RejectionRecord) -> Mapping[str, Any] | None:
    """Return the line's object when it is a record of a rejection."""
    start = line.find("{")
    if start < 0:
        return None
    try:
        record = json.loads(line[start:])
    except (ValueError, RecursionError):
        return None
    if isinstance(record, dict) and all(str(reach(record, key)) == value for key, value in shape.match.items()):
        return record
    return None
