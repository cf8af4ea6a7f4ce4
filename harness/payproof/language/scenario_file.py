"""The scenario file: YAML to ``Scenario``."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from functools import cache
from importlib.resources.abc import Traversable
from typing import Annotated, Any, Literal, ParamSpec, TypeVar

import yaml
from pydantic import BeforeValidator, Discriminator, Field, Tag, TypeAdapter, ValidationError

from payproof.domain.check import Check, Expectation
from payproof.domain.finding import Severity
from payproof.domain.needs import NEEDS
from payproof.domain.observation import Channel
from payproof.domain.scenario import Case, Phase, Requirement, Scenario
from payproof.domain.step import Step
from payproof.errors import ConfigurationError
from payproof.language.file_model import FileModel
from payproof.language.problems import (
    UNION_TAG,
    Locator,
    locate_in_yaml,
    parse_yaml,
    read_text,
    refuse_all,
    repeated_keys,
    without_unknown_keys,
)
from payproof.language.requirements_file import read_requirements
from payproof.registry import checks, nearest, steps

__all__ = [
    "find_unknown_causes",
    "locate_case",
    "read_case_names",
    "read_scenario",
    "read_scenarios",
    "scenario_schema",
    "try_scenario",
]

_Part = TypeVar("_Part", Step, Check)
_Arguments = ParamSpec("_Arguments")
_Read = TypeVar("_Read")
_POSITIVE = frozenset({"accepted", "applied"})
_EFFECTS = frozenset({"applied", "called"})  # what shows that a genuine event leaves something


def _named(given: object) -> object:
    if isinstance(given, str) or (isinstance(given, dict) and all(isinstance(own, dict) for own in given.values())):
        return given
    raise ValueError("a name, or a name with its parameters such as {deliver: {signature: valid}}")


#: A part by name, or by name with its parameters.
_Named = Annotated[str | dict[str, dict[str, Any]], BeforeValidator(_named)]


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
    follows_from: list[str] = Field([], description="scenarios of which a breach in the same place implies this one's")
    remedy: str = Field("", max_length=300, description="how a breach is mended, in place of the usual words")
    control: _PhaseEntry | None = None
    do: list[_Named] = Field(min_length=1)
    with_: dict[str, Any] = Field({}, alias="with")
    expect: list[_Named] = Field(min_length=1)
    cases: dict[str, _CaseEntry] = Field(min_length=1)
    defects: dict[str, str] = Field(
        {}, description="planted defect: the check that must fail on it; only scenarios of Payproof itself need one"
    )


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
    known = {scenario.id: scenario for scenario in scenarios}
    for mistake in (wrong for scenario in scenarios for wrong in find_unknown_causes(scenario, known)):
        raise mistake
    return tuple(sorted(scenarios, key=lambda scenario: scenario.id))


def find_unknown_causes(scenario: Scenario, known: Mapping[str, object]) -> Iterator[ConfigurationError]:
    """Yield each scenario that there is not, of those that one follows from."""
    for one in scenario.follows_from:
        if one not in known or one == scenario.id:
            yield ConfigurationError(
                f"follows_from names no other scenario: {one!r}", hint=nearest(one, known), file=scenario.place
            )


def read_scenario(file: Traversable, id_: str, shared: Mapping[str, Requirement] | None = None) -> Scenario:
    """Read one scenario file; ``shared`` are the requirements that it may refer to by their ids.

    Raises:
        ConfigurationError: the file cannot be read, is no YAML, or says what the language does not know.
    """
    read = try_scenario(file, id_, shared or {}, proven=True)
    if isinstance(read, Scenario):
        return read
    raise read[0]


def try_scenario(
    file: Traversable, id_: str, shared: Mapping[str, Requirement], *, proven: bool
) -> Scenario | list[ConfigurationError]:
    """Read one scenario file, or return all that is wrong in it; one that is ``proven`` names planted defects."""
    try:
        text = read_text(file, "scenario file")
        content = parse_yaml(text, str(file))
    except ConfigurationError as error:
        return [error]
    tree = yaml.compose(text, Loader=yaml.CSafeLoader)
    reader = _ScenarioReader(str(file), locate_in_yaml(tree), shared)
    if not isinstance(content, dict):
        problem = "a scenario is a mapping of title, severity, do, expect, cases, ..."
        return [ConfigurationError(problem, file=str(file))]
    for key, line in repeated_keys(tree):
        problem = f"the key {key!r} stands twice in one mapping"
        reader.mistakes.append(ConfigurationError(problem, hint="only one can count", file=str(file), line=line))
    entry = reader.entry(content)
    read = None if entry is None else reader.scenario(entry, id_, proven=proven)
    if reader.mistakes or read is None:
        return list({str(mistake): mistake for mistake in reader.mistakes}.values())
    return read


def read_case_names(file: Traversable) -> list[str]:
    """Return the names of a scenario file's cases, and nothing of what else is wrong with it.

    Raises:
        ConfigurationError: the file cannot be read, or is no YAML.
    """
    content = parse_yaml(read_text(file, "scenario file"), str(file))
    cases = content.get("cases") if isinstance(content, dict) else None
    return [one for one in cases if isinstance(one, str)] if isinstance(cases, dict) else []


def locate_case(file: Traversable, name: str) -> int | None:
    """Return the line of a scenario file in which a case stands."""
    return locate_in_yaml(yaml.compose(read_text(file, "scenario file"), Loader=yaml.CSafeLoader))(["cases", name])


class _ScenarioReader:
    """One reading of a scenario file; ``mistakes`` are what is wrong in it, so that all can be told at once."""

    def __init__(self, file: str, locate: Locator, shared: Mapping[str, Requirement]) -> None:
        self._file, self._locate, self._shared = file, locate, shared
        self.mistakes: list[ConfigurationError] = []

    def entry(self, content: dict[str, Any]) -> _ScenarioFile | None:
        """Return the file's form; where unknown keys are all that is wrong with it, without them."""
        try:
            return _ScenarioFile.model_validate(content)
        except ValidationError as error:
            self.mistakes += refuse_all(error, self._file, self._locate, _ScenarioFile)
            known = without_unknown_keys(content, error)
        try:
            return _ScenarioFile.model_validate(known)
        except ValidationError:
            return None

    def scenario(self, entry: _ScenarioFile, id_: str, *, proven: bool) -> Scenario:
        """Return the domain's scenario, which is whole only where there were no mistakes."""
        if proven and not entry.defects:
            self._mistake(["defects"], "'defects' is missing", "name a planted defect, and the check that fails on it")
        for defect, check in entry.defects.items():
            if check not in checks():
                self._mistake(["defects", defect], f"unknown check {check!r}", nearest(check, checks()))
        control = None
        if (own := entry.control) is not None:
            acts = self._parts(own.do, ["control", "do"], steps(), own.with_)
            control = Phase(acts, self._expectations(own.expect, ["control", "expect"], len(own.do)))
        cases = tuple(self._case(entry, id_, name, case) for name, case in entry.cases.items())
        if not self.mistakes:  # what is left of a case with mistakes says nothing of its control
            self._require_control(control, cases)
        requirements = (self._note(self._requirement, index, asked) for index, asked in enumerate(entry.requirement))
        return Scenario(
            id=id_,
            title=entry.title,
            severity=Severity(entry.severity),
            requirements=tuple(one for one in requirements if one is not None),
            control=control,
            cases=cases,
            defects=entry.defects,
            passive=entry.passive,
            follows_from=tuple(entry.follows_from),
            remedy=entry.remedy,
            place=self._file,
        )

    def _require_control(self, control: Phase | None, cases: Sequence[Case]) -> None:
        """Note each case in which nothing shows that the target listens, and that what changes in it would be seen."""
        shown = set() if control is None else {check.name for check in control.expect}
        if control is not None and "accepted" not in shown:
            hint = "expect 'accepted' in it, with 'applied' or 'called'"
            self._mistake(["control", "expect"], "the control does not show that the target listens", hint)
            return
        for case in cases:
            alone = all(one.own_control for one in case.phase.expectations)
            if control is None and not alone and not {check.name for check in case.phase.expect} >= _POSITIVE:
                hint = "give the scenario a 'control', or expect both 'accepted' and 'applied'"
                self._mistake(["cases", case.name], f"case {case.name!r} has no positive control", hint)
            watches = [one.name for one in case.phase.expectations if Channel.STORE in one.channels]
            if control is not None and watches and not shown & _EFFECTS:
                problem = f"the control does not show that the right store is watched, which {watches[0]!r} relies on"
                self._mistake(["control", "expect"], problem, "expect 'applied' in it, or 'called'")

    def _note(
        self, read: Callable[_Arguments, _Read], *given: _Arguments.args, **more: _Arguments.kwargs
    ) -> _Read | None:
        """Return what is read, or note the mistake that it is."""
        try:
            return read(*given, **more)
        except ConfigurationError as error:
            self.mistakes.append(error)
            return None

    def _mistake(self, place: Sequence[str | int], problem: str, hint: str) -> None:
        self.mistakes.append(self._wrong(place, problem, hint))

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
                at_need = [*place, "needs"] if need in case.needs else ["needs"]
                self._mistake(at_need, f"unknown need {need!r}", nearest(need, NEEDS))
        parameters = {**entry.with_, **case.with_}
        acts = self._parts(do, place if case.with_ else at, steps(), parameters)
        phase = Phase(acts, self._expectations(expect, expect_at, len(do)))
        return Case(f"{id_}[{name}]", name, phase, needs, frozenset({*entry.advised_for, *case.advised_for}))

    def _parts(
        self,
        named: Sequence[_Named],
        place: Sequence[str | int],
        known: Mapping[str, type[_Part]],
        shared: Mapping[str, Any],
    ) -> tuple[_Part, ...]:
        """Return the steps or checks that a list names; each takes those of the shared parameters that it knows."""
        calls = [self._note(self._call, one, [*place, index], known) for index, one in enumerate(named)]
        anywhere = {field: None for call in calls if call for field in _parameters(known[call[0]])}
        for parameter in shared if None not in calls else ():
            if parameter not in anywhere:
                self._mistake(place, f"no step takes the parameter {parameter!r}", nearest(parameter, anywhere))
        made: list[_Part] = []
        for index, call in enumerate(calls):
            if call is not None:
                name, own = call
                taken = {key: value for key, value in shared.items() if key in _parameters(known[name])}
                part = self._note(self._part, name, {**taken, **own}, [*place, index], known)
                made += [] if part is None else [part]
        return tuple(made)

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
                self._mistake([*place, index], f"'at: {at}' is no step", f"steps are counted 0 to {acts - 1}")
            steps_of.append(at)
        made = self._parts(plain, place, checks(), {})
        # Where a check was wrong there are fewer, and nobody runs them.
        return tuple(check if at is None else Expectation(check, at) for check, at in zip(made, steps_of, strict=False))

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
