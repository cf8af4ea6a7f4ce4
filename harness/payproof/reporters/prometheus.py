"""A run as metrics in Prometheus's text format 0.0.4, for a file that a node exporter or a push gateway takes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from payproof.domain.finding import Severity
from payproof.domain.problem import ProblemStatus
from payproof.reporters.phrasing import one_line
from payproof.reporters.whole_run import VERDICT_WORDS, WholeRun, count_verdict_names, group_topics

__all__ = ["write_prometheus"]

_Samples = Iterable[tuple[Mapping[str, str], float]]


def write_prometheus(run: WholeRun) -> str:
    """Return gauges of the last run: problems by severity and status, cases by topic and verdict, time, exit code.

    Each severity, status and verdict has a sample, zero where there is none, so that an alert never misses a series.
    """
    started = datetime.fromisoformat(run.started.started).timestamp()
    gauges: tuple[tuple[str, str, _Samples], ...] = (
        ("problems", "Problems of the last run by severity and status; new ones break a rule.", _count_problems(run)),
        ("cases", "Cases of the last run by topic and verdict.", _count_cases(run)),
        ("cases_unrun", "Cases that were chosen for the last run and did not run.", [({}, run.unrun)]),
        ("run_start_timestamp_seconds", "When the last run began.", [({}, started)]),
        ("run_duration_seconds", "How long the last run took.", [({}, round(run.finished.seconds, 3))]),
        ("run_exit_code", "The exit code of the last run; 0 says that all held.", [({}, run.finished.exit_code)]),
        ("run_info", "What has judged the target; always 1.", [_describe_run(run)]),
    )
    target = {"target": run.started.target}
    return "".join(
        f"# HELP payproof_{name} {told}\n# TYPE payproof_{name} gauge\n"
        + "".join(_write_sample(f"payproof_{name}", {**target, **labels}, value) for labels, value in samples)
        for name, told, samples in gauges
    )


def _count_problems(run: WholeRun) -> _Samples:
    found = Counter((one.problem.severity, one.status) for one in run.problems)
    for severity in Severity:
        for status in ProblemStatus:
            yield {"severity": severity.value, "status": status.value}, found[severity, status]


def _count_cases(run: WholeRun) -> _Samples:
    for topic, cases in group_topics(run.cases).items():
        found = count_verdict_names(cases)
        for verdict in VERDICT_WORDS:
            yield {"topic": topic, "verdict": verdict}, found[verdict]


def _describe_run(run: WholeRun) -> tuple[Mapping[str, str], float]:
    return {"version": run.started.version, "environment": run.started.environment}, 1


def _write_sample(name: str, labels: Mapping[str, str], value: float) -> str:
    told = ",".join(f'{key}="{_escape(one_line(text))}"' for key, text in labels.items())
    return f"{name}{{{told}}} {value:.15g}\n"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
