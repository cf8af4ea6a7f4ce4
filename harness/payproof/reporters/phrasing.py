"""How verdicts and observations are told to people, the same in every report."""

from collections import Counter
from collections.abc import Sequence
from typing import assert_never
from unicodedata import category

from payproof.domain.calibration import Reaction
from payproof.domain.events import CaseFinished, Record, RunStarted
from payproof.domain.observation import (
    Answer,
    BurstSeen,
    Channel,
    ColumnsSeen,
    Counted,
    EntitlementSeen,
    Exchange,
    InstanceKilled,
    InstanceStarted,
    LogLines,
    MemorySeen,
    NoAnswer,
    OrdersExplored,
    Purged,
    Searched,
    StoreChange,
    StripeCalls,
    StripeState,
)
from payproof.domain.stripe_call import StripeCall, StripeConnection
from payproof.domain.verdict import Errored, Failed, Passed, Skipped, Verdict

__all__ = [
    "describe_calibration",
    "describe_masking",
    "describe_target",
    "name_some",
    "one_line",
    "printable",
    "story",
    "summary",
]

_WHOM = {"subject": "the subject", "other": "somebody else"}
_LONGEST = 300
_MOST_NAMED = 8


def describe_target(target: str, environment: str, url: str, file: str) -> str:
    """Return one line that says what was judged, for the first line of every report."""
    if not file:
        return f"the {target} that comes with Payproof, not a system of yours"
    return one_line(f"{target} ({environment}) at {url}, described by {file}")


def describe_calibration(run: RunStarted) -> list[str]:
    """Return what was learnt of the target before the first case, in a few lines; none where its file says it all."""
    found = run.calibration
    if not found.reactions:
        return []
    tried, handled = len(found.reactions), found.handled
    line = f"reacts to {len(handled)} of {tried} types of events"
    if handled:
        slowest = max(one.seconds for one in found.reactions if one.is_handled)
        line += f" within {_describe_seconds(slowest)}: {name_some(handled, _MOST_NAMED)}"
    others = Counter(_describe_status(one) for one in found.reactions if not one.is_handled)
    line += "".join(f"; {times} {what}" for what, times in others.items())
    lines = [line]
    if run.control is not None:
        turns = " and ".join(one.event for one in run.control.turns)
        lines.append(f"control event: {turns}")
    told = {
        "changes": "shows no ids, but moves with deliveries",
        "refusals": "shows no ids, but tells of refused deliveries",
        "": "does not move with deliveries",
    }
    lines += [f"{one.channel} {one.source} {told[one.shown_by]}" for one in found.marks if one.shown_by in told]
    lines += [
        f"{one} keeps a journal of deliveries, refused ones too: name it in rejection_log" for one in found.journals
    ]
    if found.unclear:
        lines.append(f"not found out: {name_some(sorted(found.unclear), _MOST_NAMED)}")
    return [one_line(line) for line in lines]


def _describe_status(reaction: Reaction) -> str:
    if reaction.status is None:
        return "without an answer"
    return "without effect" if reaction.is_accepted else f"answered {reaction.status}"


def _describe_seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def name_some(names: Sequence[str], most: int) -> str:
    """Return the first of some names, and how many more there are."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def summary(verdict: Verdict) -> str:
    """Return one line that says what the verdict rests on."""
    return one_line(_summary(verdict))


def _summary(verdict: Verdict) -> str:
    match verdict:
        case Passed(held=held, waived=waived):
            return "held: " + ", ".join(held) + (f"; waived: {', '.join(waived)}" if waived else "")
        case Failed(findings=findings):
            first, more = findings[0], len(findings) - 1
            line = f"{first.check}: expected {first.expected}, saw {first.seen}"
            return line + (f" (and {more} more)" if more else "")
        case Errored(reason=reason, detail=detail):
            return f"{reason.value}: {detail}"
        case Skipped(why=why):
            return why
        case _:
            assert_never(verdict)


def story(record: Record) -> list[str]:
    """Return what was sent and what was seen, a line each, in order."""
    lines = []
    for observation in record.observations:
        match observation:
            case Exchange(step=step, sent=sent, answer=answer):
                lines.append(f"step {step}: sent {sent.method} {sent.url}, {sent.length:,} bytes: {sent.note}")
                lines.append(f"step {step}: {_describe_answer(answer)}")
            case StoreChange(step=step, source=source, tables=tables):
                told = ", ".join(f"{t.table} +{t.added} -{t.removed}" for t in tables) or "nothing changed"
                lines.append(f"step {step}: store {source}: {told}")
            case LogLines(step=step, source=source, lines=logged):
                lines += [f"step {step}: log {source}: {_short(line)}" for line in logged] or [
                    f"step {step}: log {source}: nothing new"
                ]
            case Searched() | Counted() | ColumnsSeen() | Purged():
                lines.append(f"step {observation.step}: {_describe_search(observation)}")
            case BurstSeen() | InstanceStarted() | InstanceKilled() | MemorySeen() | OrdersExplored():
                lines.append(f"step {observation.step}: {observation.described}")
            case EntitlementSeen() | StripeState():
                lines.append(f"step {observation.step}: {_describe_state(observation)}")
            case StripeCalls(step=step, calls=calls, connections=connections):
                lines += [f"step {step}: {_describe_connection(connection)}" for connection in connections]
                lines += [f"step {step}: {_describe_call(call)}" for call in calls]
            case _:
                assert_never(observation)
    return [one_line(line) for line in lines]


def describe_masking(case: CaseFinished) -> str:
    """Return one line that says what was masked at the last look, or an empty text."""
    if not case.masked:
        return ""
    return one_line(f"{case.id}: masked in the last look at what is told, please report it: {', '.join(case.masked)}")


def _describe_connection(connection: StripeConnection) -> str:
    sort = "TLS" if connection.secure else "TCP"
    fault = f", {connection.fault}" if connection.fault else ""
    return f"connection to Stripe by {sort}{fault}: {connection.failed or 'came about'}"


def _describe_state(seen: EntitlementSeen | StripeState) -> str:
    match seen:
        case EntitlementSeen(name=name, whose=whose, granted=granted, told=told):
            return f"entitlement {name} {'granted' if granted else 'not granted'} to {_WHOM[whose]}: {told}"
        case StripeState(flow=flow, moment=moment, things=things):
            states = ", ".join(f"{one.kind} {one.read('status')}" for one in things)
            return f"flow {flow} has come to {moment or 'its next act'} at Stripe: {states}"


def _describe_search(seen: Searched | Counted | ColumnsSeen | Purged) -> str:
    match seen:
        case Searched(channel=channel, source=source, wanted=wanted, pieces=pieces, length=length):
            found = f"{len(seen.leaks)} found" if seen.leaks else "nothing found"
            sort = "values" if channel is Channel.STORE else "files"
            return f"{channel} {source}: searched {pieces:,} {sort}, {length:,} bytes, for {wanted}: {found}"
        case Counted(source=source, moment=moment, values=values):
            return f"store {source}: counted what is watched in {values:,} values ({moment})"
        case ColumnsSeen(source=source, tables=tables, columns=columns):
            return f"store {source}: {columns} columns of {tables} tables, {len(seen.suspects)} could hold payment data"
        case Purged(status=status, seconds=seconds):
            return f"the purge ended with status {status} after {seconds:.1f} s"
        case _:
            assert_never(seen)


def _describe_call(call: StripeCall) -> str:
    key = f"Idempotency-Key {call.idempotency_key}" if call.idempotency_key else "no Idempotency-Key"
    fault = f", fault {call.fault}" if call.fault else ""
    answered = "no answer" if call.status is None else f"answered {call.status}"
    return f"Stripe was called: {call.method} {call.path}, {key}{fault}, {answered}"


def _describe_answer(answer: Answer | NoAnswer) -> str:
    match answer:
        case Answer(status=status, body=body, seconds=seconds):
            return f"answered {status} in {seconds * 1000:.0f} ms: {_short(body)}"
        case NoAnswer(reason=reason, detail=detail):
            return f"{reason.value}: {detail}"
        case _:
            assert_never(answer)


def one_line(text: str) -> str:
    """Return text, such as a name that somebody else has given, as one line that steers nothing and shows what it is.

    What ends a line, codes for terminals and what turns the direction of writing are written as in Python's literals.
    """
    return "".join(c if c.isprintable() else " " if category(c) == "Zs" else _escape_character(c) for c in text)


def _escape_character(character: str) -> str:
    return character.encode("unicode_escape").decode()


def printable(text: str) -> str:
    """Return text without what could steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else " " if c.isspace() else "?" for c in text)


def _short(text: str) -> str:
    """Return text as one printable line of bounded length."""
    line = " ".join(printable(text).split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
