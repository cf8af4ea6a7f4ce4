import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import urlencode

from payproof.domain.assigned import FIELDS, Fields
from payproof.domain.context import Context
from payproof.domain.observation import Answer, Exchange
from payproof.domain.operation import Operation
from payproof.domain.operation_requests import make_request
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.urls import with_query
from payproof.registry import step

__all__ = ["OperateWith"]

_ERROR = 400
_JSON = (b"Content-Type", b"application/json")


@step
@dataclass(frozen=True, slots=True)
class OperateWith(Step):
    """Ask for each operation with fields beside its own that no sender may set, in the body or in the ``query``.

    All at once and, where that is refused, each alone: one that is refused must not hide another that is not.
    """

    name: ClassVar[str] = "operate_with"
    fields: Fields = "state"
    in_query: bool = False
    requests: int = 300
    seconds: float = 30.0

    @property
    def shows_rows(self) -> bool:
        """Every row."""
        return True

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Ask for one operation after the other."""
        context.stripe.arm()
        exchanges = []
        for operation in context.target.operations.values():
            known = operation.body or {}
            fields = {name: value for name, value in FIELDS[self.fields].items() if name not in known}
            for some in (fields, *({name: value} for name, value in fields.items())):
                exchanges.append(await context.send(self._ask(context, operation, some)))
                answer = exchanges[-1].answer
                if isinstance(answer, Answer) and answer.status < _ERROR:
                    break
        return exchanges

    def _ask(self, context: Context, operation: Operation, fields: Mapping[str, Any]) -> Request:
        request = make_request(context.target, operation, context.kept)
        told = f"{operation.name} with {', '.join(fields)}"
        asked = replace(request, note=f"operation {told}", variant=told, calls=operation.calls)
        if self.in_query:
            return replace(asked, target=with_query(asked.target, urlencode(dict(fields))))
        body = json.dumps({**(json.loads(request.body) if request.body else {}), **fields}).encode()
        headers = request.headers if _JSON in request.headers else (*request.headers, _JSON)
        return replace(asked, body=body, headers=headers)
