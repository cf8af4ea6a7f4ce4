import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from payproof.domain.context import Context
from payproof.domain.observation import Answer, Exchange
from payproof.domain.operation import Operation
from payproof.domain.operation_requests import make_request
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.fuzzing.curl import curl_line
from payproof.fuzzing.invalid import Invalid, invalid_bodies
from payproof.registry import step

__all__ = ["SendInvalid", "send_named"]

_ERROR = 400
#: Statuses that say: not taken. Others may come after the target has begun to act, and has recorded that.
_NOT_TAKEN = frozenset({400, 413, 415, 422})
_CORS = frozenset({"access-control-allow-headers", "access-control-allow-methods", "access-control-allow-origin"})
_LONGEST_EXAMPLE = 65_536  # bytes of a body that is shown as a command


@step
@dataclass(frozen=True, slots=True)
class SendInvalid(Step):
    """Ask for each operation with a body that it is not to take, as who may; one thing is wrong at a time.

    ``kind`` is what is wrong: a field of another type, one that is missing or null, numbers that are none, amounts and
    currencies that there are not, deep nesting, a key that stands twice, characters that cannot be, SQL, templates, a
    text of 1 MB, or a body that is no JSON. What is refused must be said back nowhere and be kept nowhere.
    """

    name: ClassVar[str] = "send_invalid"
    kind: Invalid = "types"
    requests: int = 500
    seconds: float = 60.0

    def unfit(self, target: Target) -> Gap | None:
        """Return that no operation has a body that could be wrong so."""
        bodies = [one.body for one in target.operations.values() if one.body is not None]
        if target.operations and not any(True for body in bodies for _ in invalid_bodies(self.kind, body, "")):
            return Gap(f"no operation of the target file has a body with {self.kind} in it")
        return None

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Send one after the other."""
        context.stripe.arm()
        exchanges, serial, tag = list[Exchange](), 0, f"pp{context.random.getrandbits(40):010x}x"
        for operation in context.target.operations.values():
            request = make_request(context.target, operation, context.kept)
            sound: dict[str, Any] = json.loads(request.body) if request.body else {}
            for what, _, _ in invalid_bodies(self.kind, sound, "") if operation.body is not None else ():
                serial += 1
                text = f"{tag}{serial:06x}"
                type_, body = _find(self.kind, sound, what, text)
                exchanges.append(await send_named(context, _spoil(request, operation, what, type_, body), text))
        return exchanges


def _find(kind: Invalid, sound: dict[str, Any], wanted: str, text: str) -> tuple[bytes, bytes]:
    return next((type_, body) for what, type_, body in invalid_bodies(kind, sound, text) if what == wanted)


def _spoil(request: Request, operation: Operation, what: str, type_: bytes, body: bytes) -> Request:
    headers = tuple(pair for pair in request.headers if pair[0] != b"Content-Type")
    told = f"{operation.name}, {what}"
    return replace(
        request,
        headers=(*headers, (b"Content-Type", type_)) if type_ else headers,
        body=body,
        note=f"operation {told}",
        variant=told,
        calls=operation.calls,
    )


async def send_named(context: Context, request: Request, text: str) -> Exchange:
    """Send a request that holds a text of its own; see whether an error says it back, and have it looked for if not.

    From then on the text must stand in no row and no log, unless the target may have begun to act on it.
    """
    if len(request.body) <= _LONGEST_EXAMPLE:
        request = replace(request, example=curl_line(context.target.url, request))
    exchange = await context.send(request)
    answer = exchange.answer
    if not isinstance(answer, Answer) or answer.status < _ERROR:
        return exchange
    if answer.status in _NOT_TAKEN and text.encode() in request.body:
        context.canaries.trace("refused text", f"a text of a refused request, {request.variant}", text.encode())
    said = ((name, value) for name, value in answer.headers if name.lower() not in _CORS)
    places = [f"header {name}" for name, value in said if text in value]
    places += ["body"] if text in answer.body else []
    return replace(exchange, answer=replace(answer, echoes=tuple(places))) if places else exchange
