"""The scenario file: YAML to ``Scenario``."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from importlib.resources.abc import Traversable
from typing import Any, Literal, TypeVar

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from payproof.domain.check import Check, Expectation
from payproof.domain.finding import Severity
from payproof.domain.scenario import NEEDS, Case, Phase, Requirement, Scenario
from payproof.domain.step import Step
from payproof.errors import ConfigurationError
from payproof.language.entry import Entry
from payproof.language.problems import Locator, parse_yaml, read_text, refuse
from payproof.registry import checks, nearest, steps

__all__ = ["read_scenario", "read_scenarios", "scenario_schema"]

_Part = TypeVar("_Part", Step, Check)
_POSITIVE = frozenset({"accepted", "applied"})

#: A part by name, or by name with its parameters.
_Named = str | dict[str, dict[str, Any]]


class _Requirement(Entry):
    """Who asks for the rule: the id, the sentence that asks, and where it stands."""

    id: str = Field(min_length=1)
    says: str = Field(min_length=1)
    source: str = ""


class _Phase(Entry):
    """Steps and what must hold after them; ``with`` are parameters for every step."""

    do: list[_Named] = Field(min_length=1)
    with_: dict[str, Any] = Field({}, alias="with")
    expect: list[_Named] = Field(min_length=1)


class _Case(Entry):
    """One variant of the rule; what it says stands in place of, or ``with`` on top of, what the scenario says."""

    do: list[_Named] | None = Field(None, min_length=1)
    with_: dict[str, Any] = Field({}, alias="with")
    expect: list[_Named] | None = Field(None, min_length=1)
    needs: list[str] = Field(default_factory=list)
    advised_for: list[str] = Field(default_factory=list)


class _ScenarioFile(Entry):
    """A rule and how it is tried out."""

    title: str = Field(min_length=1)
    severity: Literal["low", "medium", "high", "critical"]
    requirement: list[_Requirement] = Field(min_length=1)
    needs: list[str] = Field(default_factory=list)
    passive: bool = False
    advised_for: list[str] = Field([], description="SDKs that do not keep the rule: for their users it is advice")
    control: _Phase | None = None
    do: list[_Named] = Field(min_length=1)
    with_: dict[str, Any] = Field({}, alias="with")
    expect: list[_Named] = Field(min_length=1)
    cases: dict[str, _Case] = Field(min_length=1)
    defects: dict[str, str] = Field(min_length=1, description="planted defect: the check that must fail on it")


def read_scenarios(folder: Traversable) -> tuple[Scenario, ...]:
    """Read every ``<topic>/<name>.yaml`` below a folder, in order of their ids."""
    found = [
        read_scenario(file, f"{topic.name}/{file.name.removesuffix('.yaml')}")
        for topic in folder.iterdir()
        if topic.is_dir()
        for file in topic.iterdir()
        if file.name.endswith(".yaml")
    ]
    return tuple(sorted(found, key=lambda scenario: scenario.id))


def read_scenario(file: Traversable, id_: str) -> Scenario:
    """Read one scenario file.

    Raises:
        ConfigurationError: the file cannot be read, is no YAML, or says what the language does not know.
    """
    text = read_text(file, "scenario file")
    content = parse_yaml(text, str(file))
    tree = yaml.compose(text, Loader=yaml.CSafeLoader)
    locate = _locator(tree)
    if not isinstance(content, dict):
        raise ConfigurationError("a scenario is a mapping of title, severity, do, expect, cases, ...", file=str(file))
    try:
        entry = _ScenarioFile.model_validate(content)
    except ValidationError as error:
        raise refuse(error, str(file), locate, _ScenarioFile) from None
    return _Reading(str(file), locate).scenario(entry, id_)


class _Reading:
    """One reading of a scenario file."""

    def __init__(self, file: str, locate: Locator) -> None:
        self._file, self._locate = file, locate

    def scenario(self, entry: _ScenarioFile, id_: str) -> Scenario:
        """Return the domain's scenario."""
        for check in entry.defects.items():
            if check[1] not in checks():
                raise self._wrong(["defects", check[0]], f"unknown check {check[1]!r}", nearest(check[1], checks()))
        control = None
        if entry.control is not None:
            own = entry.control
            acts = self._parts(own.do, ["control", "do"], steps(), own.with_)
            control = Phase(acts, self._expectations(own.expect, ["control", "expect"], len(acts)))
        cases = tuple(self._case(entry, id_, name, case) for name, case in entry.cases.items())
        if control is None:
            for case in cases:
                alone = all(one.own_control for one in case.phase.expectations)
                if not alone and not {check.name for check in case.phase.expect} >= _POSITIVE:
                    raise self._wrong(
                        ["cases", case.name],
                        f"case {case.name!r} has no positive control",
                        "give the scenario a 'control', or expect both 'accepted' and 'applied'",
                    )
        return Scenario(
            id=id_,
            title=entry.title,
            severity=Severity(entry.severity),
            requirements=tuple(Requirement(r.id, r.says, r.source) for r in entry.requirement),
            control=control,
            cases=cases,
            defects=entry.defects,
            passive=entry.passive,
            place=self._file,
        )

    def _case(self, entry: _ScenarioFile, id_: str, name: str, case: _Case) -> Case:
        place: list[str | int] = ["cases", name]
        do, at = (entry.do, ["do"]) if case.do is None else (case.do, [*place, "do"])
        expect, expect_at = (entry.expect, ["expect"]) if case.expect is None else (case.expect, [*place, "expect"])
        needs = tuple(dict.fromkeys([*entry.needs, *case.needs]))
        for need in needs:
            if need not in NEEDS:
                raise self._wrong(
                    [*place, "needs"] if need in case.needs else ["needs"],
                    f"unknown need {need!r}",
                    nearest(need, NEEDS),
                )
        parameters = {**entry.with_, **case.with_}
        acts = self._parts(do, place if case.with_ else at, steps(), parameters)
        phase = Phase(acts, self._expectations(expect, expect_at, len(acts)))
        return Case(f"{id_}[{name}]", name, phase, needs, frozenset({*entry.advised_for, *case.advised_for}))

    def _parts(
        self,
        named: Sequence[_Named],
        place: Sequence[str | int],
        known: Mapping[str, type[_Part]],
        shared: Mapping[str, Any],
    ) -> tuple[_Part, ...]:
        """Return the steps or checks that a list names; each takes those of the shared parameters that it knows."""
        calls = [self._call(one, [*place, index], known) for index, one in enumerate(named)]
        for parameter in shared:
            anywhere = {field: None for name, _ in calls for field in _parameters(known[name])}
            if parameter not in anywhere:
                raise self._wrong(place, f"no step takes the parameter {parameter!r}", nearest(parameter, anywhere))
        return tuple(
            self._part(name, {**{k: v for k, v in shared.items() if k in _parameters(known[name])}, **own}, at, known)
            for (name, own), at in zip(calls, ([*place, index] for index in range(len(calls))), strict=True)
        )

    def _expectations(
        self, named: Sequence[_Named], place: Sequence[str | int], acts: int
    ) -> tuple[Check | Expectation, ...]:
        """Return the checks that a list names; ``at`` makes one judge a single step, counted from 0."""
        plain: list[_Named] = []
        steps_of: list[int | None] = []
        for index, one in enumerate(named):
            at = None
            if isinstance(one, dict) and len(one) == 1:
                ((name, own),) = one.items()
                at = own.get("at")
                plain.append({name: {key: value for key, value in own.items() if key != "at"}})
            else:
                plain.append(one)
            if at is not None and (type(at) is not int or not 0 <= at < acts):
                raise self._wrong([*place, index], f"'at: {at}' is no step", f"steps are counted 0 to {acts - 1}")
            steps_of.append(at)
        made = self._parts(plain, place, checks(), {})
        return tuple(check if at is None else Expectation(check, at) for check, at in zip(made, steps_of, strict=True))

    def _call(
        self, one: _Named, place: Sequence[str | int], known: Mapping[str, type[_Part]]
    ) -> tuple[str, Mapping[str, Any]]:
        """Return the name and the own parameters of one entry of a list."""
        if isinstance(one, dict) and len(one) != 1:
            raise self._wrong(place, "one entry names one part", "start each with its own '-'")
        name, own = (one, {}) if isinstance(one, str) else next(iter(one.items()))
        if name not in known:
            raise self._wrong(
                place, f"unknown {'step' if known is steps() else 'check'} {name!r}", nearest(name, known)
            )
        return name, own

    def _part(
        self, name: str, parameters: Mapping[str, Any], place: Sequence[str | int], known: Mapping[str, type[_Part]]
    ) -> _Part:
        part = known[name]
        for parameter in parameters:
            if parameter not in _parameters(part):
                hint = nearest(parameter, _parameters(part))
                raise self._wrong(place, f"unknown parameter {parameter!r} of {name!r}", hint)
        try:
            # As JSON, since strict reading of Python values would ask for an instance of the dataclass itself.
            made: _Part = _adapter(part).validate_json(json.dumps(parameters, default=str))
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            at = ".".join(map(str, first["loc"]))
            subject = f"parameter {at!r} of {name!r} is not right" if at else f"{name!r} is not right"
            raise self._wrong(place, subject, first["msg"].removeprefix("Value error, ")) from None
        return made

    def _wrong(self, place: Sequence[str | int], problem: str, hint: str) -> ConfigurationError:
        return ConfigurationError(problem, hint=hint, file=self._file, line=self._locate(place))


@cache
def _adapter(part: type[Any]) -> TypeAdapter[Any]:
    return TypeAdapter(part)


def _parameters(part: type[Any]) -> dict[str, object]:
    return {field.name: field for field in fields(part)}


def _locator(tree: yaml.Node | None) -> Locator:
    """Return what finds the line of a place in a YAML tree; of the nearest enclosing one where it is not there."""

    def locate(place: Sequence[str | int]) -> int | None:
        here, line = tree, 1
        for part in place:
            if isinstance(here, yaml.MappingNode):
                pair = next(((key, value) for key, value in here.value if key.value == str(part)), None)
                if pair is None:
                    break
                line, here = pair[0].start_mark.line + 1, pair[1]
            elif isinstance(here, yaml.SequenceNode) and isinstance(part, int) and part < len(here.value):
                here = here.value[part]
                line = here.start_mark.line + 1
        return line

    return locate


def _call_schemas(parts: Mapping[str, type[Any]]) -> list[dict[str, Any]]:
    """Return the forms in which a list may name each part."""

    def forms() -> Iterator[dict[str, Any]]:
        yield {"enum": sorted(parts)}
        for name, part in sorted(parts.items()):
            parameters = TypeAdapter(part).json_schema()
            if parts is checks():
                parameters["properties"]["at"] = {
                    "type": "integer",
                    "minimum": 0,
                    "description": "judge this step only",
                }
            yield {
                "type": "object",
                "properties": {name: parameters},
                "required": [name],
                "additionalProperties": False,
            }

    return list(forms())


def scenario_schema() -> dict[str, Any]:
    """Return the JSON Schema of a scenario file, with every registered step and check."""
    schema = _ScenarioFile.model_json_schema()
    schema["$defs"]["step"] = {"anyOf": _call_schemas(steps())}
    schema["$defs"]["check"] = {"anyOf": _call_schemas(checks())}
    for holder in (schema, schema["$defs"]["_Phase"], schema["$defs"]["_Case"]):
        for key, family in (("do", "step"), ("expect", "check")):
            holder["properties"][key] = {"type": "array", "minItems": 1, "items": {"$ref": f"#/$defs/{family}"}}
    for holder in (schema, schema["$defs"]["_Case"]):
        holder["properties"]["needs"] = {"type": "array", "items": {"enum": sorted(NEEDS)}}
    schema["properties"]["defects"]["additionalProperties"] = {"enum": sorted(checks())}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Payproof scenario"}
