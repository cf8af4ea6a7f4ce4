"""The scenario file: YAML to ``Scenario``."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import Discriminator, Field, Tag, TypeAdapter, ValidationError

from payproof.domain.check import Check, Expectation
from payproof.domain.finding import Severity
from payproof.domain.needs import NEEDS
from payproof.domain.scenario import Case, Phase, Requirement, Scenario
from payproof.domain.step import Step
from payproof.errors import ConfigurationError
from payproof.language.file_model import FileModel
from payproof.language.problems import UNION_TAG, Locator, locate_in_yaml, parse_yaml, read_text, refuse
from payproof.language.requirements_file import read_requirements
from payproof.registry import checks, nearest, steps

__all__ = ["read_scenario", "read_scenarios", "scenario_schema"]

_Part = TypeVar("_Part", Step, Check)
_POSITIVE = frozenset({"accepted", "applied"})

#: A part by name, or by name with its parameters.
_Named = str | dict[str, dict[str, Any]]


class _RequirementEntry(FileModel):
    """Who asks for the rule: the id, the sentence that asks, and where it stands."""

    id: str = Field(min_length=1)
    says: str = Field(min_length=1)
    source: str = ""


_BY_ID, _OWN = f"{UNION_TAG}id", f"{UNION_TAG}own"

#: The id of a shared requirement, or a requirement that only this scenario is about.
_AskedBy = Annotated[
    Annotated[str, Field(min_length=1, description="an id in scenarios/requirements.yaml"), Tag(_BY_ID)]
    | Annotated[_RequirementEntry, Tag(_OWN)],
    Discriminator(lambda given: _BY_ID if isinstance(given, str) else _OWN),
]


class _PhaseEntry(FileModel):
    """Steps and what must hold after them; ``with`` are parameters for every step."""

    do: list[_Named] = Field(min_length=1)
    with_: dict[str, Any] = Field({}, alias="with")
    expect: list[_Named] = Field(min_length=1)


class _CaseEntry(FileModel):
    """One variant of the rule; what it says stands in place of, or ``with`` on top of, what the scenario says."""

    do: list[_Named] | None = Field(None, min_length=1)
    with_: dict[str, Any] = Field({}, alias="with")
    expect: list[_Named] | None = Field(None, min_length=1)
    needs: list[str] = Field(default_factory=list)
    advised_for: list[str] = Field(default_factory=list)


class _ScenarioFile(FileModel):
    """A rule and how it is tried out."""

    title: str = Field(min_length=1)
    severity: Literal["low", "medium", "high", "critical"]
    requirement: list[_AskedBy] = Field(min_length=1)
    needs: list[str] = Field(default_factory=list)
    passive: bool = False
    advised_for: list[str] = Field([], description="SDKs that do not keep the rule: for their users it is advice")
    control: _PhaseEntry | None = None
    do: list[_Named] = Field(min_length=1)
    with_: dict[str, Any] = Field({}, alias="with")
    expect: list[_Named] = Field(min_length=1)
    cases: dict[str, _CaseEntry] = Field(min_length=1)
    defects: dict[str, str] = Field(min_length=1, description="planted defect: the check that must fail on it")


def read_scenarios(folder: Traversable) -> tuple[Scenario, ...]:
    """Read every ``<topic>/<name>.yaml`` below a folder, in order of their ids.

    They refer to the requirements in the folder's ``requirements.yaml``.

    Raises:
        ConfigurationError: a file is not right, or no scenario refers to one of the requirements.
    """
    shared = read_requirements(folder / "requirements.yaml")
    scenarios = [
        read_scenario(file, f"{topic.name}/{file.name.removesuffix('.yaml')}", shared.by_id)
        for topic in folder.iterdir()
        if topic.is_dir()
        for file in topic.iterdir()
        if file.name.endswith(".yaml")
    ]
    shared.require_all_used(scenarios)
    return tuple(sorted(scenarios, key=lambda scenario: scenario.id))


def read_scenario(file: Traversable, id_: str, shared: Mapping[str, Requirement] | None = None) -> Scenario:
    """Read one scenario file; ``shared`` are the requirements that it may refer to by their ids.

    Raises:
        ConfigurationError: the file cannot be read, is no YAML, or says what the language does not know.
    """
    text = read_text(file, "scenario file")
    content = parse_yaml(text, str(file))
    tree = yaml.compose(text, Loader=yaml.CSafeLoader)
    locate = locate_in_yaml(tree)
    if not isinstance(content, dict):
        raise ConfigurationError("a scenario is a mapping of title, severity, do, expect, cases, ...", file=str(file))
    try:
        entry = _ScenarioFile.model_validate(content)
    except ValidationError as error:
        raise refuse(error, str(file), locate, _ScenarioFile) from None
    return _ScenarioReader(str(file), locate, shared or {}).scenario(entry, id_)


class _ScenarioReader:
    """One reading of a scenario file."""

    def __init__(self, file: str, locate: Locator, shared: Mapping[str, Requirement]) -> None:
        self._file, self._locate, self._shared = file, locate, shared

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
            requirements=tuple(self._requirement(index, asked) for index, asked in enumerate(entry.requirement)),
            control=control,
            cases=cases,
            defects=entry.defects,
            passive=entry.passive,
            place=self._file,
        )

    def _requirement(self, index: int, asked: str | _RequirementEntry) -> Requirement:
        """Return the shared requirement of an id, or the scenario's own."""
        place: list[str | int] = ["requirement", index]
        if isinstance(asked, str):
            if asked not in self._shared:
                problem = f"unknown requirement {asked!r}"
                hint = nearest(asked, self._shared) if self._shared else "give it 'id', 'says' and 'source' here"
                raise self._wrong(place, problem, hint)
            return self._shared[asked]
        if asked.id in self._shared:
            problem = f"the requirement {asked.id!r} stands in requirements.yaml"
            raise self._wrong(place, problem, f"refer to it by its id alone: '- {asked.id}'")
        return Requirement(asked.id, asked.says, asked.source)

    def _case(self, entry: _ScenarioFile, id_: str, name: str, case: _CaseEntry) -> Case:
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
    for holder in (schema, schema["$defs"]["_PhaseEntry"], schema["$defs"]["_CaseEntry"]):
        for key, family in (("do", "step"), ("expect", "check")):
            holder["properties"][key] = {"type": "array", "minItems": 1, "items": {"$ref": f"#/$defs/{family}"}}
    for holder in (schema, schema["$defs"]["_CaseEntry"]):
        holder["properties"]["needs"] = {"type": "array", "items": {"enum": sorted(NEEDS)}}
    schema["properties"]["defects"]["additionalProperties"] = {"enum": sorted(checks())}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Payproof scenario"}
