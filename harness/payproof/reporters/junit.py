import re
from collections.abc import Sequence
from typing import IO
from xml.etree import ElementTree as ET

from payproof.domain.events import CaseFinished, ProblemsFound, RunEvent, RunFinished, RunStarted
from payproof.domain.problem import JudgedProblem, ProblemStatus
from payproof.domain.verdict import Errored, ExitCode, Failed, Passed, Skipped
from payproof.reporters.phrasing import describe_masking, describe_target, one_line, story, summary
from payproof.reporters.problem_text import describe_problem, name_problems, tell_title

__all__ = ["JUnit"]

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JUnit:
    """Writes JUnit XML at the end of a run: a suite for each topic; a run that was cut short writes nothing."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._started: RunStarted | None = None
        self._cases: list[CaseFinished] = []
        self._problems: dict[str, list[JudgedProblem]] = {}
        self._of_no_case: list[JudgedProblem] = []
        self._told: set[int] = set()

    def handle(self, event: RunEvent) -> None:
        """Take one event."""
        match event:
            case RunStarted():
                self._started = event
            case CaseFinished():
                self._cases.append(event)
            case ProblemsFound(problems=problems):
                self._of_no_case = [one for one in problems if not one.problem.cases]
                for one in problems:
                    for id_ in one.problem.cases:
                        self._problems.setdefault(id_, []).append(one)
            case RunFinished():
                self._write(event)
            case _:
                pass

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, finished: RunFinished) -> None:
        assert self._started is not None
        run = self._started
        what = describe_target(run.target, run.environment, run.url, run.file)
        root = ET.Element("testsuites", name=_clean(f"payproof on {what}"), time=f"{finished.seconds:.3f}")
        suites: dict[str, ET.Element] = {}
        for case in self._cases:
            topic, _, name = case.id.partition("/")
            if topic not in suites:
                suites[topic] = ET.SubElement(root, "testsuite", name=topic, timestamp=self._started.started)
                properties = ET.SubElement(suites[topic], "properties")
                for key, value in (("seed", self._started.seed), ("target", self._started.target)):
                    ET.SubElement(properties, "property", name=key, value=_clean(one_line(str(value))))
            attributes = {"classname": f"payproof.{topic}.{name.partition('[')[0]}", "name": name}
            entry = ET.SubElement(suites[topic], "testcase", attributes, time=f"{case.seconds:.3f}")
            self._fill(entry, case)
        # A CI server that reads only this file must not take a run for one that held which did not: that was
        # interrupted, or has a problem, such as a waiver that is over, which no case has seen.
        if (unrun := self._started.cases - len(self._cases)) or self._of_no_case:
            suites["payproof"] = ET.SubElement(root, "testsuite", name="payproof", timestamp=self._started.started)
        for one in self._of_no_case:
            spot = _clean(one_line(str(one.problem.spot)))
            entry = ET.SubElement(suites["payproof"], "testcase", classname=one.problem.rule, name=spot, time="0")
            child = ET.SubElement(
                entry, "failure", type=one.problem.severity.value, message=_clean(name_problems([one]))
            )
            child.text = _clean("\n".join([tell_title(one), *describe_problem(one)]))
        if unrun:
            name = "interrupted" if finished.exit_code is ExitCode.INTERRUPTED else "stopped"
            entry = ET.SubElement(suites["payproof"], "testcase", classname="payproof", name=name, time="0")
            ET.SubElement(entry, "error", type=name, message=f"{unrun} cases did not run")
        for suite in suites.values():
            for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
                suite.set(attribute, str(sum(1 for _ in suite.iter(tag))))
            suite.set("tests", str(sum(1 for _ in suite.iter("testcase"))))
        ET.indent(root)
        # In one line with the declaration: whoever reads the first line of a report reads what was judged.
        self._file.write('<?xml version="1.0" encoding="utf-8"?>' + ET.tostring(root, encoding="unicode") + "\n")

    def _fill(self, entry: ET.Element, case: CaseFinished) -> None:
        """Add what became of a case: a problem is told whole by the first case that saw it, and named by the others."""
        mine = self._problems.get(case.id, [])
        new = [one for one in mine if one.status is ProblemStatus.NEW]
        told: list[str] = []
        match case.verdict:
            case Passed() | Failed() if new:
                gravest = max(new, key=lambda one: one.problem.severity.rank)
                held = isinstance(case.verdict, Passed)
                message = f"{'held; in passing: ' if held else ''}{name_problems(new)}"
                kind = gravest.problem.severity.value
                child = ET.SubElement(entry, "failure", type=kind, message=_clean(message))
                told = self._tell_once(new, case)
            case Passed():
                return
            case Failed(advised=True):
                child = ET.SubElement(entry, "skipped", message=_clean("advice not kept: " + summary(case.verdict)))
            case Failed():
                child = ET.SubElement(entry, "skipped", message=_clean(name_problems(mine)))
            case Errored(reason=reason):
                child = ET.SubElement(entry, "error", type=reason.value, message=_clean(summary(case.verdict)))
            case Skipped():
                child = ET.SubElement(entry, "skipped", message=_clean(summary(case.verdict)))
        lines = [case.title, *told, one_line(f"repeat: {case.repeat}"), *filter(None, [describe_masking(case)])]
        child.text = _clean("\n".join(lines))

    def _tell_once(self, problems: Sequence[JudgedProblem], case: CaseFinished) -> list[str]:
        """Return each problem in full that no case before has told, with what was sent and seen."""
        first = [one for one in problems if one.number not in self._told]
        self._told |= {one.number for one in first}
        told = [line for one in first for line in (tell_title(one), *describe_problem(one))]
        return [*told, *story(case.record)] if first else ["told in full by an earlier case"]


def _clean(text: str) -> str:
    """Return text without the characters that XML 1.0 has no way to write."""
    return _NOT_XML.sub("�", text)
