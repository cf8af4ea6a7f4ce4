"""Payment flows: YAML to the domain."""

import inspect
from importlib.resources.abc import Traversable
from typing import Any, Literal

from pydantic import Field, ValidationError
from yaml import YAMLError, safe_load

from payproof.domain.flow import Act, Flow, FlowMoment
from payproof.errors import ConfigurationError
from payproof.language.file_model import FileModel
from payproof.registry import nearest
from payproof.stripe.flows import ACTS

__all__ = ["read_flows"]


class _MomentTable(FileModel):
    """What leads to a moment, and what Stripe's objects are then."""

    do: tuple[str | dict[str, dict[str, Any]], ...] = Field(strict=False, min_length=1)
    then: dict[str, str | int | bool] = Field(default_factory=dict)


class _FlowTable(FileModel):
    """A flow."""

    title: str
    source: str
    after_retries: Literal["cancel", "mark_unpaid", "leave_past_due"] = "cancel"
    prices: int = 1
    moments: dict[str, _MomentTable] = Field(min_length=1)


def read_flows(folder: Traversable) -> tuple[Flow, ...]:
    """Read the flows of a folder, one of each file, sorted by name.

    Raises:
        ConfigurationError: a file is not right.
    """
    files = sorted((one for one in folder.iterdir() if one.name.endswith(".yaml")), key=lambda one: one.name)
    return tuple(_read(one) for one in files)


def _read(file: Traversable) -> Flow:
    place = f"{file.name}"
    try:
        table = _FlowTable.model_validate(safe_load(file.read_text("utf-8")))
    except (ValidationError, YAMLError) as error:
        raise ConfigurationError(f"no payment flow: {error}", file=place) from None
    moments = tuple(
        FlowMoment(name, tuple(_act(one, place) for one in moment.do), moment.then)
        for name, moment in table.moments.items()
    )
    name = file.name.removesuffix(".yaml")
    return Flow(name, table.title, table.source, moments, table.after_retries, table.prices)


def _act(given: str | dict[str, dict[str, Any]], file: str) -> Act:
    ((name, values),) = given.items() if isinstance(given, dict) else ((given, {}),)
    if name not in ACTS:
        raise ConfigurationError(f"there is no act {name!r}", hint=nearest(name, ACTS), file=file)
    known = [*inspect.signature(ACTS[name]).parameters][1:]
    for one in values:
        if one not in known:
            raise ConfigurationError(f"{name} has no {one!r}", hint=nearest(one, known), file=file)
    return Act(name, values)
