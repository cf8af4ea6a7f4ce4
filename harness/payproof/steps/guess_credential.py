import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from payproof.domain.access import Asking, Lockout, Promise
from payproof.domain.access_requests import change_credential
from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.operation import Principal
from payproof.domain.operation_requests import credential_headers
from payproof.domain.request import Request
from payproof.domain.sensitive import Secret
from payproof.domain.step import Step
from payproof.errors import InconclusiveError, Reason
from payproof.registry import step

__all__ = ["ELSEWHERE", "GuessCredential", "guessed_of", "make_sign_in"]

#: Another address of this machine, so that who guesses is somebody else than who asks for all other cases.
ELSEWHERE = "127.0.0.9"
_HOLE = "{credential}"


@step
@dataclass(frozen=True, slots=True)
class GuessCredential(Step):
    """Sign in with wrong credentials of the principal that ``[contract.lockout]`` names, as often as it says.

    On a target on this machine all of them come from another address than everything else, as an address may be locked
    out too.
    """

    name: ClassVar[str] = "guess_credential"
    requests: int = 100
    seconds: float = 60.0

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Guess."""
        lockout, principal = guessed_of(context)
        right = principal.credential.reveal()
        exchanges = []
        for number in range(lockout.attempts):
            wrong = replace(
                principal, credential=Secret("a wrong credential", change_credential(right, context.random))
            )
            note = f"wrong credential {number + 1} of {lockout.attempts} of {principal.name}"
            request = make_sign_in(context, lockout, wrong, note, "unknown", away=True)
            exchanges.append(await context.send(request))
        return exchanges


def guessed_of(context: Context) -> tuple[Lockout, Principal]:
    """Return what is promised, and of whom.

    Raises:
        InconclusiveError: the target file promises nothing.
    """
    lockout = context.target.contract.lockout
    if lockout is None:
        raise InconclusiveError(Reason.PREPARATION_FAILED, "the target file says nothing in [contract.lockout]")
    return lockout, context.target.principals[lockout.principal]


def make_sign_in(
    context: Context, lockout: Lockout, principal: Principal, note: str, promise: Promise, *, away: bool
) -> Request:
    """Return the request by which somebody signs in; ``away`` is from the address that guesses."""
    credential = principal.credential.reveal()
    in_body = lockout.body is not None and _HOLE in json.dumps(lockout.body)
    body = b"" if lockout.body is None else json.dumps(_fill(lockout.body, credential)).encode()
    headers = ((b"Accept", b"application/json"), *(() if in_body else credential_headers(principal)))
    return Request(
        lockout.method,
        lockout.path,
        (*headers, (b"Content-Type", b"application/json")) if body else headers,
        body,
        note,
        variant=note,
        asking=Asking("sign in", principal.name, promise),
        origin=ELSEWHERE if away and context.target.is_local else "",
    )


def _fill(value: Any, credential: str) -> Any:
    match value:
        case Mapping():
            return {name: _fill(one, credential) for name, one in value.items()}
        case list() | tuple():
            return [_fill(one, credential) for one in value]
        case str():
            return value.replace(_HOLE, credential)
    return value
