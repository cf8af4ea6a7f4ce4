import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from payproof.domain.access import Asking, find_right
from payproof.domain.access_requests import make_up_like
from payproof.domain.context import Context
from payproof.domain.observation import Answer, Exchange
from payproof.domain.operation import Operation, Principal
from payproof.domain.operation_requests import credential_headers, make_request
from payproof.domain.request import Request
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.registry import step
from payproof.steps.operate_each import find_other_tenant
from payproof.steps.prepare_each import OTHERS

__all__ = ["AskForeign"]

_HOLE = re.compile(r"\{([a-z_]+)\}")
_SUCCESS = range(200, 300)
_PARTS = {"reads": "path", "query": "query"}


@step
@dataclass(frozen=True, slots=True)
class AskForeign(Step):
    """Ask as another tenant for what is the first one's, and after each such request for what is not there.

    One id at a time is the other's, in the ``path``, the ``body`` or the ``query`` of an operation; all else is the
    asking tenant's own. Or it is in the path of a route of the target file that ``reads``, or in its query, and is
    first read by whose object it is.
    """

    name: ClassVar[str] = "ask_foreign"
    where: Literal["path", "body", "query", "reads"] = "path"
    requests: int = 200

    def unfit(self, target: Target) -> Gap | None:
        """Return that no request of the target file has an id there."""
        if any(_find_holes(one, self.where) for one in target.operations.values()) or _reading(target, self.where):
            return None
        if self.where in {"reads", "query"}:
            route = "GET /invoices/{invoice}" if self.where == "reads" else "GET /invoices?customer={customer}"
            why = f"no route that reads has a kept value in its {_PARTS[self.where]}, such as {route}"
            return Gap(why, ("routes",))
        return Gap(f"no operation of the target file has an id of an object in its {self.where}")

    async def run(self, context: Context) -> Sequence[Exchange]:
        """Ask for each in turn."""
        context.stripe.arm()
        target, other = context.target, find_other_tenant(context.target)
        if other is None:
            return []
        own = {name: value for name, value in context.kept.items() if not name.startswith(OTHERS)}
        theirs = {name.removeprefix(OTHERS): value for name, value in context.kept.items() if name.startswith(OTHERS)}
        exchanges = await _read_routes(context, other, own, self.where)
        for operation in target.operations.values():
            if not find_right(other, operation):
                continue
            for hole in _find_holes(operation, self.where):
                if hole not in own:
                    continue
                for value, role in ((own[hole], ""), (make_up_like(context.random, own[hole]), "nowhere")):
                    request = make_request(target, replace(operation, principal=other), {**theirs, hole: value})
                    asked = replace(request, calls=operation.calls)
                    exchanges.append(await context.send(_name(asked, operation.name, other.name, hole, role)))
        return exchanges


async def _read_routes(context: Context, other: Principal, own: Mapping[str, str], where: str) -> list[Exchange]:
    exchanges = []
    for path in _reading(context.target, where):
        mine = {hole: own[kept] for hole in _HOLE.findall(path) if (kept := _name_kept(context.target, hole)) in own}
        if len(mine) < len(set(_HOLE.findall(path))):
            continue
        rightful = context.target.first_principal
        assert rightful is not None
        seen = await context.send(_read(path, mine, rightful))
        exchanges.append(seen)
        if not isinstance(seen.answer, Answer) or seen.answer.status not in _SUCCESS:
            continue  # what nobody may read shows nothing
        nothing = {hole: make_up_like(context.random, value) for hole, value in mine.items()}
        for values, role in ((mine, ""), (nothing, "nowhere")):
            asked = _read(path, values, other)
            exchanges.append(await context.send(_name(asked, f"GET {path}", other.name, " and ".join(mine), role)))
    return exchanges


def _read(path: str, values: Mapping[str, str], who: Principal) -> Request:
    """Return the request by which somebody reads a route."""
    for hole, value in values.items():
        path = path.replace(f"{{{hole}}}", value)
    headers = ((b"Accept", b"application/json"), *credential_headers(who))
    return Request("GET", path, headers, b"", f"GET {path} as {who.name}", ids=tuple(values.values()))


def _name(request: Request, operation: str, actor: str, hole: str, role: str) -> Request:
    what = f"{hole} that is not there" if role else f"{hole} of another tenant"
    told = f"{operation} as {actor}, with {what}"
    asking = Asking(operation, f"{actor}, another tenant", "foreign")
    return replace(request, note=told, variant=told, asking=asking, role="nowhere" if role else "")


def _find_holes(operation: Operation, where: str) -> list[str]:
    """Return the names of the ids in a part of an operation's request, each once."""
    path, _, query = operation.path.partition("?")
    text = {"path": path, "query": query, "body": str(operation.body or "")}.get(where, "")
    return list(dict.fromkeys(_HOLE.findall(text)))


def _reading(target: Target, where: str) -> list[str]:
    """Return the routes that read, and that have nothing but kept values in the part that is tried."""
    routes = (route.partition(" ") for route in target.routes)
    found = []
    for path in (path for method, _, path in routes if method == "GET"):
        base, _, query = path.partition("?")
        tried = {"reads": base, "query": query}.get(where, "")
        if _HOLE.search(tried) and all(_name_kept(target, hole) for hole in _HOLE.findall(path)):
            found.append(path)
    return found


def _name_kept(target: Target, hole: str) -> str:
    """Return the kept value that a place in a route is named after, such as ``customer`` of ``{customer_id}``."""
    kept = {name for one in target.operations.values() for name in one.keep}
    return next((name for name in (hole, hole.removesuffix("_id")) if name in kept), "")
