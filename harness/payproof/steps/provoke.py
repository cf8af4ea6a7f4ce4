from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.observation import Exchange
from payproof.domain.operation_requests import credential_headers
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.fuzzing.provocations import Kind, Odd, addresses, provocations
from payproof.registry import step

__all__ = ["Provoke"]


@step
@dataclass(frozen=True, slots=True)
class Provoke(Step):
    """Send what makes frameworks show their insides to each route that the target file names, as its first principal.

    ``kind`` is what is sent: values of ``types`` that nobody expects, ``templates`` and ``sql`` in all places,
    ``paths`` that lead elsewhere, requests for ``pages`` as a browser asks for them and with the switches of debuggers,
    or, without a credential too, the ``addresses`` at which frameworks show such pages.
    """

    name: ClassVar[str] = "provoke"
    kind: Kind | Literal["addresses"] = "types"
    requests: int = 1500

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Send one after the other; what a template comes to must appear nowhere."""
        left, right = (context.random.randrange(10_000, 100_000) for _ in range(2))
        if self.kind == "templates":
            context.canaries.conceal("template", "what a template comes to", str(left * right).encode())
        who = credential_headers(context.target.first_principal)
        asked = [
            Request(method, target, (*headers, *known), body, f"{self.kind}: {method} {target}", variant=route)
            for method, route, (target, headers, body) in self._odd(context, f"{left}*{right}")
            for known in ([(), who] if self.kind == "addresses" and who else [who])
        ]
        return [await context.send(request) for request in asked[: self.requests]]

    def _odd(self, context: Context, product: str) -> Iterator[tuple[str, str, Odd]]:
        if self.kind == "addresses":
            yield from (("GET", f"GET {one[0]}", one) for one in addresses())
            return
        for method, path in context.target.listed:
            yield from ((method, f"{method} {path}", one) for one in provocations(self.kind, method, path, product))
