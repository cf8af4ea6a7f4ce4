import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import ClassVar, Literal

from payproof.domain.context import Context
from payproof.domain.documents import read_json
from payproof.domain.entitlement import Beneficiary, Entitlement
from payproof.domain.json_path import reach
from payproof.domain.observation import Answer, Observation
from payproof.domain.operation import Operation
from payproof.domain.operation_requests import fill_names, make_request
from payproof.domain.step import Step
from payproof.domain.target import Target
from payproof.domain.wants import Gap
from payproof.errors import InconclusiveError, Reason
from payproof.registry import step
from payproof.steps.grant import Having, choose_entitlement, find_entitlement, names_of

__all__ = ["SeeEntitlement", "look_until"]

_SUCCESS, _REFUSAL = range(200, 300), range(300, 500)
_FIRST_WAIT, _LONGEST_WAIT = 0.02, 0.5
_NAME = re.compile(r"\{([a-z_]+)\}")
#: Whether it is given, and what was seen of that.
_Look = tuple[bool, str]


@step
@dataclass(frozen=True, slots=True)
class SeeEntitlement(Step):
    """Look whether the subject, or ``whose``, has what was paid for, as [entitlements] of the target file says.

    With ``until`` it looks again until it is so, or until the effect of a delivery must have come.
    """

    name: ClassVar[str] = "see_entitlement"
    having: Having = ""
    whose: Beneficiary = "subject"
    until: Literal["", "granted", "not_granted"] = ""

    def unfit(self, target: Target) -> Gap | None:
        """Return that no entitlement of the target file tells what is needed."""
        return choose_entitlement(target, self.having)[1]

    async def run(self, context: Context) -> Sequence[Observation]:
        """Look once, or until it is as awaited."""
        entitlement = find_entitlement(context, self.having)
        awaited = None if not self.until else self.until == "granted"
        return [await look_until(context, entitlement, self.whose, awaited=awaited)]


async def look_until(
    context: Context, entitlement: Entitlement, whose: Beneficiary, *, awaited: bool | None
) -> Observation:
    """Look whether somebody has something, once or until it is as awaited or the time for effects is over.

    Raises:
        InconclusiveError: nobody can tell, as there is no answer, or a failure, or no such row.
    """
    waited, wait = 0.0, _FIRST_WAIT
    while True:
        granted, told = await _look(context, entitlement, whose)
        if awaited is None or granted == awaited or waited >= context.target.contract.effect_within:
            break
        await context.clock.sleep(wait)
        waited, wait = waited + wait, min(2 * wait, _LONGEST_WAIT)
    place = _name_place(entitlement)
    return context.entitlement.note(entitlement.name, whose, granted=granted, told=told, spot=place, waited=waited)


def _name_place(entitlement: Entitlement) -> str:
    """Return where it is seen, without ids."""
    return _NAME.sub("{}", f"{entitlement.method} {entitlement.path}") if entitlement.path else entitlement.column


async def _look(context: Context, entitlement: Entitlement, whose: Beneficiary) -> _Look:
    names = names_of(context, entitlement, whose)
    described = f"{entitlement.path} {entitlement.body} {entitlement.where_of(whose)}"
    if unknown := [name for name in _NAME.findall(described) if name not in names]:
        return False, f"nothing was told of a {unknown[0]} so far"
    if entitlement.column:
        return await _look_at_row(context, entitlement, whose, names)
    return await _ask(context, entitlement, whose, names)


async def _look_at_row(
    context: Context, entitlement: Entitlement, whose: Beneficiary, names: Mapping[str, str]
) -> _Look:
    where = {name: fill_names(text, names) for name, text in entitlement.where_of(whose).items()}
    texts = await context.entitlement.read_column(entitlement.store, entitlement.column, where)
    granted = any(_says_so(text, entitlement.granted) for text in texts)
    shown = ", ".join(sorted(map(repr, texts))) or "empty, or there is no such row"
    return granted, f"{entitlement.column} is {shown}"


async def _ask(context: Context, entitlement: Entitlement, whose: Beneficiary, names: Mapping[str, str]) -> _Look:
    asked = Operation(
        "entitlement",
        entitlement.method,
        entitlement.path,
        "",
        entitlement.principal_of(whose),
        entitlement.body,
    )
    request = make_request(context.target, asked, names)
    note = "looks at the entitlement" + ("" if asked.principal is None else f" as {asked.principal.name}")
    exchange = await context.send(replace(request, note=note))
    answer = exchange.answer
    place = _name_place(entitlement)
    if not isinstance(answer, Answer):
        raise InconclusiveError(answer.reason, f"{place}, which shows the entitlement: {answer.detail}")
    if answer.status in _REFUSAL:
        return False, f"{place} is answered {answer.status}"
    if answer.status not in _SUCCESS:
        raise InconclusiveError(
            Reason.PREPARATION_FAILED, f"{place}, which shows the entitlement, was answered {answer.status}"
        )
    if not entitlement.place:
        return True, f"{place} is answered {answer.status}"
    text = _read(answer.body, entitlement.place)
    return _says_so(text, entitlement.granted), f"{place} is answered {answer.status}, {entitlement.place}: {text!r}"


def _read(body: str, place: str) -> str:
    """Return what stands at a place of a JSON document as a text: ``true``, ``17``, ``active``; empty where nothing."""
    try:
        found = reach(read_json(body), place)
    except ValueError:
        return ""
    if isinstance(found, bool):
        return str(found).lower()
    return str(found) if isinstance(found, str | int | float) else ""


def _says_so(text: str, granted: Sequence[str]) -> bool:
    return bool(text) and any(fnmatchcase(text, one) for one in granted)
