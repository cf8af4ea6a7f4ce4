from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.operation_requests import credential_headers
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.fuzzing.provocations import fill_path
from payproof.registry import step

__all__ = ["Visit"]


@step
@dataclass(frozen=True, slots=True)
class Visit(Step):
    """Ask for each route that the target file lists and that only reads, as the first principal."""

    name: ClassVar[str] = "visit"
    requests: int = 200

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Ask for one after the other."""
        headers = ((b"Accept", b"*/*"), *credential_headers(context.target.first_principal))
        reading = [path for method, path in context.target.listed if method == "GET"]
        return [
            await context.send(Request("GET", fill_path(path), headers, b"", f"GET {path}", variant=f"GET {path}"))
            for path in reading[: self.requests]
        ]
