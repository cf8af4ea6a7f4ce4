"""Examines a target and its file: what is reachable, what shows the marker, what it is made of, what is not judged."""

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import get_args

from payproof.canary import Ledger
from payproof.domain.needs import NEEDS
from payproof.domain.observation import Channel
from payproof.domain.operation import KINDS, OPERATIONS
from payproof.domain.target import Environment, Framework, Target
from payproof.domain.verdict import Skipped
from payproof.engine.unjudged import UnjudgedGroup, foresee_skip, group_unjudged
from payproof.errors import PayproofError
from payproof.language import read_target
from payproof.language.problems import parse_toml, read_text
from payproof.reporters.phrasing import describe_calibration
from payproof.schema_audit import audit_columns
from payproof.session.local_sources import find_logs, find_stores
from payproof.session.pasting import Block, Known, propose_keeps, write_block
from payproof.session.pinning import describe_differences
from payproof.session.project_files import read_project
from payproof.session.reach import Examined, reach
from payproof.session.recognition import Recognised, complete, recognise
from payproof.session.run import Choice, find_lacking, open_session, open_tables
from payproof.session.scenarios import refuse_unknown_rules

__all__ = ["Examination", "Lack", "examine"]

_MOST_SUSPECTS = 2


@dataclass(frozen=True, slots=True)
class Lack:
    """Cases that are not judged, and the blocks that would let them be."""

    group: UnjudgedGroup
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found of a target; ``cases`` is how many there are, and ``judged`` how many of them would be judged."""

    target: Target
    reached: tuple[Examined, ...]
    marked: tuple[Examined, ...]
    made_of: tuple[Examined, ...]
    cases: int
    judged: int
    lacks: tuple[Lack, ...]
    suspects: tuple[str, ...] = ()
    keeps: Block | None = None

    @property
    def is_well(self) -> bool:
        """Whether everything is reachable and shown."""
        return all(part.is_well for part in (*self.reached, *self.marked))


def examine(file: Path, choices: Sequence[Choice], environment: Mapping[str, str] = os.environ) -> Examination:
    """Look at the target of a file, deliver genuine events as a run does first, and tell what cannot be judged.

    On production nothing is delivered, and no source can be shown to be the right one.

    Raises:
        ConfigurationError: the file is wrong.
    """
    target = read_target(file, environment)
    refuse_unknown_rules(target.contract.severities, [scenario for scenario, _ in choices], file)
    ledger = Ledger()
    for secret in target.secrets:
        ledger.add("secret", secret.label, secret.reveal().encode(), lasting=True)
    look = asyncio.run(reach(target, ledger))
    fitted = target
    marked: tuple[Examined, ...] = (Examined("calibration", "not tried: see above", is_well=False),)
    if target.environment is Environment.PRODUCTION:
        marked = (Examined("calibration", "nothing is delivered on production: no source can show the marker"),)
    elif all(part.is_well for part in look.parts):
        fitted, marked = _calibrate(file, target)
    project, search = read_project(file.parent), look.search
    answers, openapi = ([], {}) if search is None else (search.answers, search.openapi)
    if look.openapi is not None and look.openapi.document is not None:
        fitted, openapi = replace(fitted, openapi=look.openapi), look.openapi.document
    made_of = complete(recognise(answers, openapi), project)
    local = target.is_local
    known = Known(
        target=fitted,
        content=parse_toml(read_text(file, "target file"), file),
        made_of=made_of,
        project=project,
        document="" if search is None else search.document,
        openapi=openapi,
        store=next(iter(find_stores(file.parent, file.parent, environment)), None) if local else None,
        log=next(iter(find_logs(file.parent, file.parent, {}, "")), "") if local else "",
        refusal=look.refusal,
        kept={one.event: one.tables for one in fitted.calibration.reactions if one.is_handled},
    )
    skipped = {case.id: why for scenario, case in choices if (why := _foresee(fitted, (scenario, case)))}
    suspects = tuple(_find_suspects(target))
    return Examination(
        target=target,
        reached=tuple(look.parts),
        marked=marked,
        made_of=tuple(_compare(target, made_of)),
        cases=len(choices),
        judged=len(choices) - len(skipped),
        lacks=tuple(_write_lacks(group_unjudged(skipped.items()), known, choices)),
        suspects=tuple(f"{table}.{column}" for table, column, _ in suspects),
        keeps=propose_keeps(suspects[:_MOST_SUSPECTS]) if suspects else None,
    )


def _foresee(target: Target, choice: Choice) -> Skipped | None:
    return foresee_skip(target, *choice) or find_lacking(choice[1])


def _calibrate(file: Path, target: Target) -> tuple[Target, tuple[Examined, ...]]:
    """Deliver what a run delivers before its first case; return the target as it is known then, and what was shown."""
    try:
        with open_session(file, operations=False, fuzzing=False, afresh=True) as session:
            session.require_acceptance()
            found, unwatched = session.target, {(one.channel, one.source) for one in session.unwatched}
            lines = describe_calibration(session.make_header(0))
    except PayproofError as error:
        return target, (Examined("calibration", str(error), is_well=False),)
    parts = [Examined("calibration", lines[0])] if lines else []
    shown = {(one.channel, one.source): one.shown_by for one in found.calibration.marks}
    for channel, specs in ((Channel.STORE, target.stores), (Channel.LOG, target.logs)):
        for spec in specs:
            at = (channel, spec.name)
            is_shown = at not in unwatched
            told = _SHOWN[shown.get(at, "ids")] if is_shown else "does not show what was delivered"
            parts.append(Examined(f"{channel} {spec.name}", told, is_shown))
    parts += [Examined("differs", line) for line in describe_differences(target, found)]
    if target.stores and not found.calibration.handled:
        told = "no event had an effect: name a customer that the target knows in [subject]"
        parts.append(Examined("effect", told, is_well=False))
    return replace(target, calibration=found.calibration, control=target.control or found.control), tuple(parts)


_SHOWN = {
    "ids": "shows the ids of what is delivered",
    "changes": "shows no ids, but moves with deliveries",
    "refusals": "shows no ids, but tells of refused deliveries",
    "": "moves",
}


def _compare(target: Target, made_of: Recognised) -> Iterator[Examined]:
    """Yield what the target seems to be made of, and whether its file says otherwise."""
    contract = target.contract
    for key, said, seems, by in (
        ("framework", contract.framework, made_of.framework, made_of.framework_by),
        ("sdk", contract.sdk or "", made_of.sdk, made_of.sdk_by),
    ):
        if not seems:
            yield Examined(key, f"{said} (as the file says; nothing here shows it)" if said else "not recognised")
        elif seems == said:
            yield Examined(key, f"{seems}, as the file says (by {by})")
        elif said:
            yield Examined(key, f"seems to be {seems} (by {by}); the file says {said}")
        elif key == "framework" and seems not in get_args(Framework):
            yield Examined(key, f"{seems} (by {by})")
        else:
            yield Examined(key, f'{seems} (by {by}): put {key} = "{seems}" into [contract]')


def _write_lacks(groups: Sequence[UnjudgedGroup], known: Known, choices: Sequence[Choice]) -> Iterator[Lack]:
    """Yield for each group the blocks that it wants; none twice."""
    needs = {case.id: case.needs for _, case in choices}
    written: set[Block] = set()
    for group in groups:
        missing = {
            need
            for id_ in group.cases
            for need in needs[id_]
            if need in NEEDS and not NEEDS[need].is_offered(known.target)
        }
        operations = missing & (OPERATIONS.keys() | KINDS.keys())
        found = [write_block(want, known, operations) for want in group.wants]
        blocks = [one for one in dict.fromkeys(found) if one is not None and one not in written]
        written.update(blocks)
        yield Lack(group, tuple(blocks))


def _find_suspects(target: Target) -> Iterator[tuple[str, str, str]]:
    """Yield the columns that look as if they held payment data, and that the contract does not keep."""
    for spec in target.stores:
        try:
            tables = open_tables(spec)
        except PayproofError:
            continue  # that it cannot be opened is told already
        try:
            for one in audit_columns(tables.columns()):
                kept = target.contract.keeps
                if not any(fnmatchcase(one.table, k.table) and fnmatchcase(one.column, k.column) for k in kept):
                    yield one.table, one.column, one.what
        except PayproofError:
            continue
        finally:
            tables.close()
