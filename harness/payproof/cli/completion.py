"""What a shell may complete: scenarios, cases, topics, types of events, and ways to sign.

Scenarios are known by the names of their files, and cases by the one file that is asked about: a shell waits.
"""

from collections.abc import Iterable

import click

from payproof.session import event_factory, name_cases, name_scenarios
from payproof.stripe.forgeries import FORGERIES

__all__ = ["complete_events", "complete_scenarios", "complete_signatures", "complete_topics"]


def complete_scenarios(context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """Return the scenarios that begin so; of one that is whole, its cases too."""
    own = context.params.get("own") or ()
    scenario, bracket, _ = begun.partition("[")
    cases = name_cases(scenario, own)
    return _begin(cases, begun) if bracket else [*_begin(name_scenarios(own), begun), *cases]


def complete_topics(context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """Return the topics that begin so."""
    named = name_scenarios(context.params.get("own") or ())
    return _begin(dict.fromkeys(one.partition("/")[0] for one in named), begun)


def complete_events(_context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """Return the types of events that begin so, of the newest version."""
    factory = event_factory(0)
    return _begin(factory.types(factory.versions()[-1]), begun)


def complete_signatures(_context: click.Context, _option: click.Parameter, begun: str) -> list[str]:
    """Return the ways to sign and to forge that begin so."""
    return _begin(FORGERIES, begun)


def _begin(names: Iterable[str], begun: str) -> list[str]:
    return [name for name in names if name.startswith(begun)]
