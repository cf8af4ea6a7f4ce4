"""Made-up runs of any size, with whatever a target may say, as the events that reports take."""

import io
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import IO

from payproof.domain.channel import Channel
from payproof.domain.events import CaseFinished, ProblemsFound, Record, RunEvent, RunFinished, RunStarted
from payproof.domain.finding import Finding, Severity, Spot
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Exchange, LogLines, Sent, StoreChange, TableChange
from payproof.domain.problem import JudgedProblem, Problem, ProblemStatus, Sighting
from payproof.domain.target import Contract, RejectionRecord, Waiver
from payproof.domain.verdict import Errored, ExitCode, Failed, Passed, Skipped, Verdict
from payproof.engine.accepting import judge_problems
from payproof.engine.folding import fold_findings
from payproof.errors import Reason
from payproof.reporters import Reporter
from payproof.session import count_verdicts

__all__ = ["HOSTILE", "SPOKEN", "make_events", "make_hostile_events", "make_problems", "make_started", "write_report"]

_RULES = (
    ("webhook_signature/expired", "A delivery that is too old is refused", Severity.CRITICAL),
    ("webhook_signature/truncated", "A body that was cut is refused", Severity.HIGH),
    ("error_handling/disclosure", "No answer tells of the inside of the service", Severity.MEDIUM),
    ("data_at_rest/canary_in_store", "Nothing of a card is in any row", Severity.CRITICAL),
    ("audit_log/nothing_sensitive", "No line of a log holds personal data", Severity.HIGH),
    ("operations/declined", "A decline is told without its reason", Severity.LOW),
    ("retention/purged", "What is too old is removed", Severity.MEDIUM),
)
_ASKED = (
    "PCI DSS 3.3.1",
    "PCI DSS 3.3.1.1",
    "PCI DSS 6.2.4",
    "OWASP ASVS 16.5.1",
    "CWE-209",
    "Stripe, webhooks",
    "stripe-node#2841",
)

#: What begins a text that a target may say to break out of a report; the word tells whether it is found whole.
SPOKEN = "spoken by the target"
#: What a target may say: markup of each report, what ends its texts, and what steers a reader's program.
HOSTILE = (
    f"</script><script>document.title='broken out'</script> {SPOKEN}",
    f'"><img src=x onerror="document.title=1"> {SPOKEN}',
    f"<!--<script> {SPOKEN}",
    f"{{{{ 7 * 7 }}}} {{% raw %}} {SPOKEN}",
    f"| a | b |\n| --- | --- | {SPOKEN}",
    f"` `` ```\n[click](https://evil.example) ![x](https://evil.example/x.png) @octocat #12 {SPOKEN}",
    f"\\| \\` \\[ **bold** <b>bold</b> https://evil.example www.evil.example {SPOKEN}",
    f"\u202egnp.exe\u202c \u2028 \u2029 \u2066x\u2069 \ufeff {SPOKEN}",
    f"\x00\x07\x1b[2J\x1b]8;;https://evil.example\x1b\\ {SPOKEN}",
    f"]]> &amp; &lt; %3Cscript%3E {SPOKEN}",
    f'",\n}} 1 # HELP payproof_problems {SPOKEN}',
    f"{SPOKEN} " + "long " * 400_000,
)


def make_started(cases: int, *, target: str = "billing.test", **changed: str) -> RunStarted:
    """Return the header of a run."""
    return RunStarted(
        version="1.2.3",
        target=target,
        url=changed.get("url", "https://billing.test"),
        file=changed.get("file", "payproof.toml"),
        environment="staging",
        seed=7,
        started="2030-01-02T03:04:05+00:00",
        cases=cases,
        stores=("database",),
        logs=("service",),
        contract=Contract(
            rejection_record=RejectionRecord({"a": "b"}, "c", "t", "o", "r"),
            waivers=(Waiver(Channel.FILE, changed.get("waived", "no dumps are made")),),
        ),
    )


def _record(number: int, said: str) -> Record:
    sent = Sent("POST", "https://billing.test/hook", f"invoice.paid (evt_{number}), {said}", 4096, "0" * 64)
    control = (
        Exchange(0, sent, Answer(200, (("server", "made up"),), '{"ok":true}', 11, 0.01)),
        StoreChange(0, "database", (TableChange("events", 1, 0),)),
        LogLines(0, "service", (f"INFO delivered evt_{number}",)),
    )
    seen = (
        Exchange(0, sent, Answer(400, (("server", "made up"),), said, len(said), 0.01)),
        StoreChange(0, "database", ()),
        LogLines(0, "service", tuple(f"INFO line {line} of case {number}: {said[:2000]}" for line in range(4))),
    )
    return Record(control, seen)


def _finding(rule: str, kind: Kind, spot: Spot, said: str) -> Finding:
    return Finding(
        check="no_disclosure", expected="no internals shown", seen=said, evidence=(said,),
        what=said[:60], kind=kind, spot=spot, rule=rule,
    )  # fmt: skip


def _verdict(number: int, rule: str, said: str) -> Verdict:
    made: dict[int, Verdict] = {
        0: Failed((_finding(rule, Kind.FORGERY_ACCEPTED, Spot(Channel.HTTP, "POST /hook, 2xx"), said),)),
        1: Failed((_finding(rule, Kind.SLOW, Spot(Channel.HTTP, f"GET /{number % 3}"), said),), advised=True),
        2: Errored(Reason.TIMEOUT, said[:200]),
        3: Errored(Reason.HARNESS_FAULT, "KeyError in trial.py:1"),
        **dict.fromkeys(range(4, 8), Skipped("the target file has no [upstream]", ("[upstream]", "[operations]"))),
        8: Skipped(said[:200]),
    }
    return made.get(number % 20, Passed(("no_disclosure",), notes=("took 3 ms",)))


def _make_case(number: int, said: str) -> CaseFinished:
    rule, title, severity = _RULES[number % len(_RULES)]
    passing = ()
    if number % 5 == 0:
        shown = Spot(Channel.HTTP, "POST /hook, 4xx")
        passing = (_finding("error_handling/disclosure", Kind.SDK_TEXT, shown, said),)
    return CaseFinished(
        id=f"{rule}[{number}]",
        title=title,
        severity=severity,
        verdict=_verdict(number, rule, said),
        record=_record(number, said),
        seconds=0.1,
        repeat=f"payproof run --target payproof.toml --scenario '{rule}[{number}]' --seed 7",
        passing=passing,
        requirements=tuple(_ASKED[(number + at) % len(_ASKED)] for at in range(2)),
    )


def _end(cases: list[CaseFinished], problems: tuple[JudgedProblem, ...], started: RunStarted) -> Iterator[RunEvent]:
    yield started
    yield from cases
    yield ProblemsFound(problems)
    yield RunFinished(count_verdicts(case.verdict for case in cases), ExitCode.BROKEN, 12.5)


def make_events(cases: int, said: str = "No signatures found matching the expected signature") -> list[RunEvent]:
    """Return the events of a run of so many cases, in which the target always says the same."""
    made = [_make_case(number, said) for number in range(cases)]
    started = make_started(cases)
    return [*_end(made, judge_problems(fold_findings(started.contract, made)), started)]


@cache
def make_hostile_events() -> tuple[RunEvent, ...]:
    """Return the events of a run in which every text that a target or its file chooses is hostile, one in each case."""
    made = [_make_case(5 * number, said) for number, said in enumerate(HOSTILE)]
    started = make_started(len(made), target=HOSTILE[0], url=HOSTILE[1], file=HOSTILE[5], waived=HOSTILE[7])
    problems = [
        JudgedProblem(
            number,
            Problem(
                rule="webhook_signature/expired",
                kind=said[:100],
                spot=Spot(Channel.LOG, said[:300]),
                severity=Severity.HIGH,
                title="Something is shown",
                remedy="Answer with `one` fixed body.",
                sightings=(Sighting(made[number - 1].id, _finding("r/r", Kind.ECHO, Spot(Channel.LOG, said), said)),),
                also=(said[:100],),
                repeat=f"payproof run --target '{said[:100]}'",
            ),
            ProblemStatus.WAIVED if number % 2 else ProblemStatus.NEW,
            said[:300],
        )
        for number, said in enumerate(HOSTILE, 1)
    ]
    return tuple(_end(made, tuple(problems), started))


def make_problems(number: int, statuses: Iterable[ProblemStatus] = (ProblemStatus.NEW,)) -> list[RunEvent]:
    """Return the events of a run of one case that has seen so many problems, with these statuses in turn."""
    case = _make_case(0, "all of them")
    known = [*statuses]
    problems = tuple(
        JudgedProblem(
            at + 1,
            Problem(
                rule=f"webhook_signature/rule_{at}",
                kind=f"kind {at}",
                spot=Spot(Channel.HTTP, f"POST /{at}, 2xx"),
                severity=[*Severity][at % 4],
                title=f"Forgeries of sort {at} are accepted",
                remedy=f"Verify sort {at} with `stripe.Webhook.construct_event`.",
                sightings=tuple(
                    Sighting(case.id, _finding("r/r", Kind.ECHO, Spot(Channel.HTTP, "x"), "seen")) for _ in range(3)
                ),
                requirements=tuple(f"PCI DSS {at}.{one}" for one in range(30)),
                repeat="payproof run",
            ),
            known[at % len(known)],
            "as agreed" if known[at % len(known)] is ProblemStatus.WAIVED else "",
        )
        for at in range(number)
    )
    return [*_end([case], problems, make_started(1))]


class _Kept(io.StringIO):
    """A file whose text stays after it was closed."""

    def close(self) -> None:
        """Do nothing."""


def write_report(make: Callable[[IO[str]], Reporter], events: Iterable[RunEvent]) -> str:
    """Return what a reporter writes of events."""
    file = _Kept()
    reporter = make(file)
    for event in events:
        reporter.handle(event)
    reporter.close()
    return file.getvalue()
