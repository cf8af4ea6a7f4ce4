"""The parts of a target file that tell who may do what, and what is promised of those who may not."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from payproof.domain.access import AccessContract, Lockout, is_claimed_by
from payproof.language.file_model import FileModel
from payproof.language.operation_tables import OperationTable, PrincipalTable, Problem, check_request
from payproof.registry import nearest

__all__ = ["LockoutTable", "RefusalsTable", "check_access"]

_LONGEST = 86_400
_ACCESS = AccessContract()
_LOCKOUT = Lockout("", "", "")

_Refusals = Annotated[tuple[Annotated[int, Field(ge=300, le=499)], ...], Field(strict=False)]


def _say(statuses: frozenset[int], why: str) -> Any:
    return Field(tuple(sorted(statuses)), description=f"statuses for {why}; without any, whatever refuses")


class RefusalsTable(FileModel):
    """How this target refuses whoever may not do what they ask for."""

    unknown: _Refusals = _say(_ACCESS.unknown, "who has no credential, or a wrong one")
    forbidden: _Refusals = _say(_ACCESS.forbidden, "who is known, and may not")
    foreign: _Refusals = _say(_ACCESS.foreign, "what is another tenant's, or not there")


class LockoutTable(FileModel):
    """What becomes of who guesses a credential. Nothing is promised of it where this table is missing."""

    as_: str = Field(alias="as", description="the principal whose credential is guessed, and who is locked out then")
    request: Annotated[str, AfterValidator(check_request)] = Field(
        description="what is asked with the credential, such as GET /invoices or POST /login"
    )
    body: dict[str, Any] | None = Field(
        None, description="sent as JSON; where it holds {credential}, that goes there and into no header"
    )
    attempts: int = Field(_LOCKOUT.attempts, ge=1, le=100, description="wrong ones, then nobody is let in")
    seconds: float = Field(_LOCKOUT.seconds, gt=0, le=_LONGEST, strict=False, description="for so long")
    elsewhere: Literal["", "works", "locked"] = Field(
        _LOCKOUT.elsewhere, description="what the right credential does from another address meanwhile"
    )

    def read(self) -> Lockout:
        """Return the domain's promise."""
        method, _, path = self.request.partition(" ")
        return self.mean(Lockout, principal=self.as_, method=method, path=path)


def check_access(
    operations: Mapping[str, OperationTable], principals: Mapping[str, PrincipalTable], lockout: LockoutTable | None
) -> Iterator[Problem]:
    """Yield what contradicts itself in who may do what."""
    for name, one in principals.items():
        yield from _find_contradictions(name, one, operations)
    if lockout is not None:
        place: Sequence[str | int] = ["contract", "lockout", "as"]
        if lockout.as_ not in principals:
            yield place, f"unknown principal {lockout.as_!r}", nearest(lockout.as_, principals)
        elif asked := [name for name, one in operations.items() if one.as_ == lockout.as_]:
            hint = "name one that no operation is asked for as, as it is locked out then"
            yield place, f"{lockout.as_!r} is needed for operation {asked[0]!r}", hint


def _find_contradictions(name: str, one: PrincipalTable, operations: Mapping[str, OperationTable]) -> Iterator[Problem]:
    place = ["principals", name]
    own = [operation for operation, table in operations.items() if table.as_ == name]
    if one.expired and (own or one.may):
        what = f"asks for operation {own[0]!r}" if own else "may do operations"
        yield [*place, "expired"], f"{name!r} is expired, and {what}", "leave one of the two out"
    for right in one.may or ():
        if operations and not any(is_claimed_by((right,), operation) for operation in operations):
            yield [*place, "may"], f"there is no operation {right!r}", nearest(right, operations)
    if one.may is None or one.expired:
        return
    for operation in own:
        if not is_claimed_by(one.may, operation):
            hint = "add it to 'may', or ask as somebody else"
            yield [*place, "may"], f"operation {operation!r} is asked for as {name!r}, who may not do it", hint
    for operation, table in operations.items():
        if table.as_ is None and not is_claimed_by(one.may, operation):
            hint = f"say who may in 'as' of [operations.{operation}], or add it to 'may'"
            yield [*place, "may"], f"{name!r} may not do {operation!r}, which anybody may, as it has no 'as'", hint
