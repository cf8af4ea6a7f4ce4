"""Prints each scenario beside each target: `python -m tests.targets.matrix [RUN.jsonl]`.

What the services in other languages are expected to show, to which `tests.targets.test_services` holds them strictly;
with a record of a run on the reference service, what that has shown. A cell tells how many cases held, how many are
broken (!), and how many cannot be judged there (-).
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from payproof.domain.scenario import Scenario
from payproof.session import all_scenarios
from tests.targets.expectations import Expectations
from tests.targets.service import RECIPES

__all__ = ["print_matrix"]

_KINDS = {"failed": "broken", "skipped": "not judged", "passed": "held"}


def print_matrix(record: Path | None = None) -> int:
    """Print the matrix as Markdown; 1 where a case of the record is not known."""
    scenarios = all_scenarios()
    columns = {
        name: dict(_expect(scenarios, Expectations.read(one.folder / "expected.toml"))) for name, one in RECIPES.items()
    }
    if record is not None:
        columns = {"reference": _read(record), **columns}
    lines = [f"| scenario | {' | '.join(columns)} |", f"| --- |{' --- |' * len(columns)}"]
    for scenario in scenarios:
        cells = [_count(told.get(case.id, "unknown") for case in scenario.cases) for told in columns.values()]
        lines.append(f"| {scenario.id} | {' | '.join(cells)} |")
    lines.append(f"| all cases | {' | '.join(_count(iter(told.values())) for told in columns.values())} |")
    sys.stdout.write("\n".join([*lines, ""]))
    cases = {case.id for scenario in scenarios for case in scenario.cases}
    return int(any("unknown" in told.values() or not cases <= told.keys() for told in columns.values()))


def _expect(scenarios: Iterable[Scenario], expected: Expectations) -> Iterator[tuple[str, str]]:
    """Yield what is to become of each case: what it sees in passing counts against another rule, and not here."""
    for scenario in scenarios:
        for case in scenario.cases:
            if expected.may_skip(case):
                yield case.id, "not judged"
            else:
                yield case.id, "broken" if (case.id, scenario.id) in expected.failing else "held"


def _read(record: Path) -> Mapping[str, str]:
    events = [json.loads(line) for line in record.read_text().splitlines()]
    return {one["id"]: _KINDS.get(one["verdict"]["kind"], "unknown") for one in events if "verdict" in one}


def _count(kinds: Iterator[str]) -> str:
    counted = Counter(kinds)
    marks = (("held", ""), ("broken", "!"), ("not judged", "-"), ("unknown", " unknown"))
    return " ".join(f"{counted[kind]}{mark}" for kind, mark in marks if counted[kind])


if __name__ == "__main__":
    sys.exit(print_matrix(*map(Path, sys.argv[1:])))
