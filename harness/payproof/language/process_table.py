from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import Field, model_validator

from payproof.domain.target import ProcessSpec
from payproof.language.file_model import FileModel

__all__ = ["ProcessTable"]

_PROCESS = ProcessSpec()  # what is usual
_Command = Annotated[tuple[str, ...], Field(strict=False, min_length=1)]
_Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
_PORT = "{port}"


class ProcessTable(FileModel):
    """How the target is started: a second instance is started beside it, rightly and wrongly."""

    start: _Command | None = Field(
        None, description="command and arguments that run an instance until it is ended; {port} is where it listens"
    )
    restart: _Command | None = Field(None, description="command and arguments after which the target runs again")
    environment: dict[_Variable, str] = Field({}, description="variables of the instance; {port} is where it listens")
    environment_env: tuple[_Variable, ...] = Field(
        (), strict=False, description="variables that the instance gets as Payproof has them, such as a database's URL"
    )
    ready: Annotated[str, Field(pattern="^/")] | None = Field(
        None, description="path that answers below 500 once the instance is ready; else its port is waited for"
    )
    seconds: float = Field(_PROCESS.seconds, gt=0, le=600, strict=False, description="until an instance is ready")
    port_variable: _Variable | None = Field(None, description="variable that gets the port")
    secret_variable: _Variable | None = Field(None, description="variable that the webhook's secret is taken from")
    api_key_variable: _Variable | None = Field(None, description="variable that Stripe's API key is taken from")
    refuses_live_keys: bool = Field(
        default=_PROCESS.refuses_live_keys, description="outside production it does not start with a live key"
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.start is None and self.restart is None:
            raise ValueError("start, restart, or both")
        told = (*(self.start or ()), *self.environment.values())
        if self.start is not None and self.port_variable is None and not any(_PORT in one for one in told):
            raise ValueError("start needs to be told where to listen: port_variable, or {port} in a word of it")
        if self.refuses_live_keys and self.api_key_variable is None:
            raise ValueError("refuses_live_keys needs api_key_variable")
        return self

    def process(self, folder: str, passed: Mapping[str, str]) -> ProcessSpec:
        """Return the domain's; the commands are run in ``folder``, and ``passed`` are the values of environment_env."""
        return self.mean(
            ProcessSpec,
            start=self.start or (),
            restart=self.restart or (),
            folder=folder,
            environment={**passed, **self.environment},
            ready=self.ready or "",
            port_variable=self.port_variable or "",
            secret_variable=self.secret_variable or "",
            api_key_variable=self.api_key_variable or "",
        )
