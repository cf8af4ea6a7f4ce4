"""The command ``payproof doctor``."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from payproof.cli.every_command import show_examples
from payproof.cli.scenario_options import OWN_SCENARIOS
from payproof.domain.verdict import ExitCode
from payproof.domain.wants import WANTS
from payproof.reporters.phrasing import describe_target, name_some, one_line
from payproof.session import (
    Examination,
    Examined,
    Lack,
    all_scenarios,
    choose,
    examine,
    scenario_folders,
    target_or_reference,
)

__all__ = ["doctor"]

_MOST_REASONS = 3
_MOST_SUSPECTS = 4
_PLACES = {"top": " (at the top)"}


@click.command(epilog=show_examples("payproof doctor", "payproof doctor --target staging.toml"))
@click.option("--target", type=click.Path(path_type=Path), help="Target file; without it as for payproof run.")
@OWN_SCENARIOS
def doctor(target: Path | None, own: tuple[Path, ...]) -> int:
    """Say what of a target can be reached and is shown, and which lines would let more of it be judged.

    It delivers genuine events, as a run does before its first case, and prints blocks to paste into the target file.
    """
    file = target_or_reference(target=target, reference=False)
    assert file is not None
    found = examine(file, choose(all_scenarios(scenario_folders(own, file))))
    for line in _describe(found, file):
        click.echo(line)
    return ExitCode.HELD if found.is_well else ExitCode.UNKNOWN


def _describe(found: Examination, file: Path) -> Iterator[str]:
    target = found.target
    yield describe_target(target.name, target.environment, target.url, str(file))
    yield from _describe_parts((*found.reached, *found.marked, *found.made_of))
    yield ""
    if not found.lacks:
        yield f"All {found.cases} cases would be judged."
    else:
        left = found.cases - found.judged
        yield f"{found.judged} of {found.cases} cases would be judged. What would let the other {left} be, to paste:"
    keys = [one for one in found.lacks if _is_short(one)]
    for lack in found.lacks:
        if lack not in keys:
            yield ""
            yield from _describe_lack(lack)
    yield ""
    for lack in keys:
        yield from _describe_lack(lack)
    if found.keeps is not None:
        named = name_some(found.suspects, _MOST_SUSPECTS)
        yield one_line(f"# columns that look as if they held payment data: {named}; where one may:")
        yield from found.keeps.text.splitlines()


def _describe_parts(parts: Iterable[Examined]) -> Iterator[str]:
    """Yield a line for each name, with all that was seen of it."""
    told: dict[str, list[Examined]] = {}
    for part in parts:
        told.setdefault(part.name, []).append(part)
    for name, seen in told.items():
        mark = "ok" if all(one.is_well for one in seen) else "!!"
        yield one_line(f"{mark}  {name:<14}  {'; '.join(one.told for one in seen)}")


def _is_short(lack: Lack) -> bool:
    """Whether a lack is told in a line, or adds one to what is there."""
    return all(block.place or not block.text for block in lack.blocks)


def _describe_lack(lack: Lack) -> Iterator[str]:
    """Yield a comment with the number of cases, and where lines go that do not go to the file's end; then the lines."""
    group = lack.group
    cases = f"{len(group.cases)} case" + ("s" if len(group.cases) > 1 else "")
    if not group.wants:
        yield one_line(f"# {cases} by nothing in the file: {name_some(group.reasons, _MOST_REASONS)}")
        return
    also = "".join(f"; {times} also by {want}" for want, times in group.also.items())
    notes = [WANTS.get(group.wants[0], ""), *(block.note for block in lack.blocks)]
    places = dict.fromkeys(_PLACES.get(one.place, f" (in [{one.place}])") for one in lack.blocks if one.place)
    yield one_line(f"# {cases} by {group.title}{''.join(places)}: {'; '.join(filter(None, notes))}{also}")
    for block in lack.blocks:
        yield from map(one_line, block.text.splitlines())
