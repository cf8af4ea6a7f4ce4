"""The examples of docs/reports.md, as the program writes them of the run that the README shows."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from payproof.domain.events import RunEvent
from payproof.reporters import RECORDED_FORMATS
from payproof.session import all_scenarios, choose
from tests.architecture.test_readme import RUN_OF
from tests.defects._proof import on_defect
from tests.reports.made_runs import write_report

__all__ = ["PAGE", "make_examples", "read_examples", "run_example"]

PAGE = Path(__file__).parents[2] / "docs" / "reports.md"
_BLOCK = r"(<!-- example: {} -->\n)(?:\n(`{{3,4}})(\w+)\n(.*?)\n\2\n)?"


def run_example() -> Sequence[RunEvent]:
    """Run what the README shows."""
    with on_defect("future_accepted") as session:
        return [*session.run(choose(all_scenarios(), ids=RUN_OF))]


def make_examples(events: Sequence[RunEvent]) -> Mapping[str, tuple[str, str]]:
    """Return the language and the text of each example."""
    told = {form: write_report(make, events).rstrip("\n") for form, make in RECORDED_FORMATS.items()}
    return {
        "sarif": ("json", _shorten_sarif(json.loads(told["sarif"]))),
        "junit": ("xml", _shorten_junit(told["junit"])),
        "markdown": ("markdown", told["markdown"]),
        "jsonl": ("json", told["jsonl"]),
        "prometheus": ("text", "\n".join(line for line in told["prometheus"].splitlines() if not line.endswith(" 0"))),
    }


def _shorten_sarif(report: Any) -> str:
    """Return the first result alone."""
    return json.dumps(report["runs"][0]["results"][0], indent=1)


def _shorten_junit(text: str) -> str:
    """Return the first case that fails alone."""
    case = next(one for one in ET.fromstring(text).iter("testcase") if one.find("failure") is not None)
    case.tail = None
    return ET.tostring(case, encoding="unicode")


def read_examples() -> Mapping[str, tuple[str, str]]:
    """Return the language and the text of each example that the page has."""
    page = PAGE.read_text()
    found = {form: re.search(_BLOCK.format(form), page, re.DOTALL) for form in RECORDED_FORMATS if form != "html"}
    return {form: (match[3], match[4]) if match else ("", "") for form, match in found.items()}


def _write() -> None:
    page = PAGE.read_text()
    for form, (language, text) in make_examples(run_example()).items():
        fence = "````" if "```" in text else "```"
        block = f"\n{fence}{language}\n{text}\n{fence}\n"
        page = re.sub(_BLOCK.format(form), lambda match, block=block: match[1] + block, page, count=1, flags=re.DOTALL)
    PAGE.write_text(page)


if __name__ == "__main__":
    _write()
