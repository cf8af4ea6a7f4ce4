from typing import Annotated, Self

from pydantic import ConfigDict, Field, model_validator

from payproof.domain.target import StoreOutage
from payproof.language.file_model import FileModel

__all__ = ["StoreOutageTable"]

_Command = Annotated[tuple[str, ...], Field(min_length=1)]


class StoreOutageTable(FileModel):
    """How the store is made to refuse, and to work again: by two commands, or by one that holds it down."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["down", "up"]}, {"required": ["hold"]}]})

    down: _Command | None = Field(None, strict=False, description="command and arguments that take it down")
    up: _Command | None = Field(None, strict=False, description="command and arguments that bring it back")
    hold: _Command | None = Field(
        None,
        strict=False,
        description="command and arguments that take it down, print down, and bring it back when their input ends",
    )
    seconds: float = Field(60.0, gt=0, le=600, description="time limit of each command", strict=False)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.down is None) != (self.up is None) or (self.down is None) == (self.hold is None):
            raise ValueError("either down and up, or hold")
        return self

    def outage(self, folder: str) -> StoreOutage:
        """Return the domain's; the commands are run in ``folder``."""
        return self.mean(StoreOutage, down=self.down or (), up=self.up or (), hold=self.hold or (), folder=folder)
