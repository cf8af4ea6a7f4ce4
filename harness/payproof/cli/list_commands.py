"""The commands that list what there is and explain it."""

import json
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from payproof.cli.completion import complete_scenarios
from payproof.cli.console import wide_console
from payproof.cli.every_command import show_examples
from payproof.cli.scenario_options import OWN_SCENARIOS, found_folders
from payproof.domain.scenario import Scenario
from payproof.errors import ConfigurationError
from payproof.language import problem_lines_schema, scenario_schema, target_schema
from payproof.registry import nearest
from payproof.session import all_scenarios, event_factory, write_beside
from payproof.stripe.forgeries import FORGERIES

__all__ = ["events", "explain", "list_", "schema", "signatures"]


@click.command("list", epilog=show_examples("payproof list --where", "payproof list --cases"))
@click.option("--where", is_flag=True, help="Show the file of each scenario.")
@click.option("--cases", is_flag=True, help="Show each case.")
@OWN_SCENARIOS
def list_(own: Sequence[Path], *, where: bool, cases: bool) -> None:
    """List the scenarios."""
    for scenario in all_scenarios(found_folders(own)):
        place = f"  {scenario.place}" if where else ""
        click.echo(f"{scenario.id:<42} {scenario.severity:<9} {len(scenario.cases):>3} cases  {scenario.title}{place}")
        for case in scenario.cases if cases else ():
            click.echo(f"  {case.id}")


@click.command(epilog=show_examples("payproof explain webhook_signature/future"))
@click.argument("id_", metavar="ID", shell_complete=complete_scenarios)
@OWN_SCENARIOS
def explain(id_: str, own: Sequence[Path]) -> None:
    """Tell what a scenario does, who asks for it, and which planted defects prove that it can fail."""
    known = {scenario.id: scenario for scenario in all_scenarios(found_folders(own))}
    name = id_.partition("[")[0]
    if name not in known:
        raise ConfigurationError(f"unknown scenario {id_!r}", hint=nearest(name, known))
    _explain(known[name], wide_console())


def _explain(scenario: Scenario, out: Console) -> None:
    out.print(f"[bold]{escape(scenario.id)}[/] ({scenario.severity})\n{escape(scenario.title)}\n", highlight=False)
    for requirement in scenario.requirements:
        source = f" [dim]({escape(requirement.source)})[/]" if requirement.source else ""
        out.print(f"[bold]{escape(requirement.id)}[/]: {escape(requirement.says)}{source}", highlight=False)
    if scenario.control is not None:
        held = ", ".join(check.name for check in scenario.control.expect)
        out.print(f"\n[bold]control[/]: {escape(_steps(scenario.control.steps))} → {held}", highlight=False)
    table = Table(box=None, pad_edge=False)
    for column in ("case", "does", "expects", "needs"):
        table.add_column(column, overflow="fold")
    for case in scenario.cases:
        expected = ", ".join(check.name for check in case.phase.expect)
        table.add_row(escape(case.name), escape(_steps(case.phase.steps)), expected, ", ".join(case.needs))
    out.print()
    out.print(table)
    if scenario.defects:
        out.print("\n[bold]planted defects that it catches[/]", highlight=False)
    for defect, check in scenario.defects.items():
        out.print(f"  {escape(defect)} (by {check})", highlight=False)
    out.print(f"\n{escape(scenario.place)}", style="dim", highlight=False)


def _steps(steps: Sequence[Any]) -> str:
    told = []
    for step in steps:
        usual = type(step)()
        given = {field.name: getattr(step, field.name) for field in fields(step)}
        varied = [f"{key}={value}" for key, value in given.items() if value != getattr(usual, key)]
        told.append(f"{step.name}({', '.join(varied)})" if varied else step.name)
    return "; ".join(told)


@click.command(
    epilog=show_examples(
        "payproof schema target", "payproof schema scenario --output scenario.schema.json", "payproof schema problems"
    )
)
@click.argument("which", type=click.Choice(["target", "scenario", "problems"]))
@click.option("--output", type=click.Path(path_type=Path), help="Write it here, not to standard output.")
def schema(which: str, output: Path | None) -> None:
    """Print the JSON Schema of target or scenario files, for editors, or of a line of problems, for programs."""
    schemas = {"target": target_schema, "scenario": scenario_schema, "problems": problem_lines_schema}
    text = json.dumps(schemas[which](), indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        write_beside(output, text)


@click.command(epilog=show_examples("payproof events --api-version 2022-11-15"))
@click.option("--api-version", help="Of this API version; the newest without it.")
def events(api_version: str | None) -> None:
    """List the event types that can be made up."""
    factory = event_factory(0)
    for name in factory.types(api_version or factory.versions()[-1]):
        click.echo(name)


@click.command(epilog=show_examples("payproof signatures"))
def signatures() -> None:
    """List the ways to sign and to forge."""
    for forgery in FORGERIES.values():
        click.echo(f"{forgery.name:<44} {forgery.summary}")
