"""Runs a topic or a scenario on neighbours, prints what surprises: `python -m tests.neighbours.topic TOPIC [NAME ...]`.

What `tests.neighbours.test_neighbours` asks of all scenarios, for one that is being written, in a few minutes.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

from payproof.session import all_scenarios, choose
from tests.end_to_end.command import environment, payproof
from tests.neighbours.running import NAMES, NEIGHBOURS, running
from tests.neighbours.truth import Truth

_SECONDS = 900


def _main(scenario: str, *names: str) -> None:
    """Run the scenarios on the neighbours of these names, or all, and print what is not as their truths say."""
    cases = {case.id: case for _, case in choose(all_scenarios())}
    for name in names or NAMES:
        with tempfile.TemporaryDirectory(prefix=f"{name}-") as place:
            folder, report = Path(place, "app"), Path(place, "run.jsonl")
            folder.mkdir()
            with running(name, folder) as neighbour:
                started = time.monotonic()
                ended = payproof(
                    *("run", "--target", neighbour.file, "--seed", 1, "--report", report),
                    *("--scenario" if "/" in scenario else "--topic", scenario),
                    env=environment(**neighbour.variables),
                    cwd=folder,
                    seconds=_SECONDS,
                )
            took = time.monotonic() - started
            events = [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []
        judged = {event["id"]: event for event in events if "verdict" in event}
        told = Truth.read(NEIGHBOURS / name / "truth.toml").surprises(cases, judged, scenario)
        kinds = " ".join(f"{event['verdict']['kind']}:{id_}" for id_, event in judged.items())
        sys.stdout.write(f"== {name}: {len(judged)} cases in {took:.0f} s, {len(told)} surprises\n{kinds}\n")
        sys.stdout.write("\n".join([*told, *([] if judged else [ended.out, ended.err]), ""]))
        sys.stdout.flush()


if __name__ == "__main__":
    _main(*sys.argv[1:])
