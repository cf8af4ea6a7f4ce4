"""The file of shared requirements: YAML to ``Requirement``, by id."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources.abc import Traversable

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from payproof.domain.scenario import Requirement, Scenario
from payproof.errors import ConfigurationError
from payproof.language.file_model import FileModel
from payproof.language.problems import Locator, locate_in_yaml, parse_yaml, read_text, refuse

__all__ = ["SharedRequirements", "read_requirements"]


class SharedRequirementEntry(FileModel):
    """A requirement under its id: the sentence that asks for a rule, and where it stands."""

    says: str = Field(min_length=1)
    source: str = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class SharedRequirements:
    """The requirements that scenarios refer to by id, with the file that they stand in."""

    by_id: Mapping[str, Requirement]
    file: str
    locate: Locator

    def require_all_used(self, scenarios: Iterable[Scenario]) -> None:
        """Refuse a requirement that no scenario refers to.

        Raises:
            ConfigurationError: there is one; its line is named.
        """
        used = {requirement.id for scenario in scenarios for requirement in scenario.requirements}
        for id_ in self.by_id:
            if id_ not in used:
                raise ConfigurationError(
                    f"no scenario refers to the requirement {id_!r}",
                    hint="name it under 'requirement' of a scenario, or remove it",
                    file=self.file,
                    line=self.locate([id_]),
                )


def read_requirements(file: Traversable) -> SharedRequirements:
    """Read ``requirements.yaml``: a mapping of ids to what each says, and its source.

    Raises:
        ConfigurationError: the file cannot be read, is no YAML, or an entry is not right.
    """
    text = read_text(file, "file of requirements")
    content = parse_yaml(text, str(file))
    if not isinstance(content, dict):
        raise ConfigurationError("requirements are a mapping of ids to 'says' and 'source'", file=str(file))
    locate = locate_in_yaml(yaml.compose(text, Loader=yaml.CSafeLoader))
    try:
        entries = TypeAdapter(dict[str, SharedRequirementEntry]).validate_python(content)
    except ValidationError as error:
        raise refuse(error, str(file), locate, SharedRequirementEntry) from None
    by_id = {id_: Requirement(id_, entry.says, entry.source) for id_, entry in entries.items()}
    return SharedRequirements(by_id, str(file), locate)
