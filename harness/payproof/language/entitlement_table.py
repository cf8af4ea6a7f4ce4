"""The tables of a target file that tell what is given to those who pay: ``[entitlements.NAME]``."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from payproof.domain.entitlement import PLACEHOLDERS, Entitlement, OtherBeneficiary
from payproof.domain.operation import Price, Principal, UpstreamSpec
from payproof.domain.subject import Subject
from payproof.language.file_model import FileModel
from payproof.language.operation_tables import OperationTable, PrincipalTable, Problem, check_request
from payproof.registry import nearest

__all__ = ["EntitlementTable", "check_entitlements", "read_entitlement"]

_NAME = re.compile(r"\{([a-z_]+)\}")
_COLUMN = re.compile(r".+\.[^.]+")
_Text = str | int | bool


def _column(column: str) -> str:
    if not _COLUMN.fullmatch(column):
        raise ValueError("a table and a column, such as users.plan")
    return column


class _OtherTable(FileModel):
    """Somebody else, whom no event about the subject may give anything."""

    as_: str | None = Field(None, alias="as", description="one of the principals, who asks for their entitlement")
    where: dict[str, _Text] = Field(default_factory=dict, description="the values of their row")
    metadata: dict[str, str] = Field(default_factory=dict, description="what names them in Stripe's objects")
    reference: str = Field("", description="the client_reference_id of their checkouts")
    customer: str = Field("", pattern=r"^(cus_\w+)?$", description="their own customer at Stripe")

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.metadata and not self.reference:
            raise ValueError("metadata or reference, by which the target could take an event for one about them")
        return self


class EntitlementTable(FileModel):
    """Something that is given to those who pay, and how it is seen: in a row, or by a request."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["column"]}, {"required": ["request"]}]})

    grants: tuple[str, ...] = Field(
        strict=False, min_length=1, description="types of events that give it, all of them, in their order"
    )
    revokes: tuple[str, ...] = Field((), strict=False, description="types of events that take it away")
    column: Annotated[str, AfterValidator(_column)] = Field("", description="where it stands, such as users.plan")
    where: dict[str, _Text] = Field(default_factory=dict, description="values of the row that is the subject's")
    store: str = Field("", description="the store with that table, where several have one")
    request: Annotated[str, AfterValidator(check_request)] = Field("GET /", description="such as GET /me/plan")
    as_: str | None = Field(None, alias="as", description="one of the principals")
    body: dict[str, Any] | None = Field(None, description="sent as JSON")
    place: str = Field(
        "", description="where the JSON answer says it; without it any 2xx says so, and 3xx and 4xx deny"
    )
    granted: tuple[_Text, ...] = Field((), strict=False, description="what says that it is given; * for any text")
    after: tuple[str, ...] = Field((), strict=False, description="operations to be performed before")
    set: dict[str, Any] = Field(default_factory=dict, description="values at dotted paths of the events' objects")
    price: str = Field("", pattern=r"^\w*$", description="the price that gives it; [subject] price where it is missing")
    amount: int | None = Field(None, gt=0, description="what it costs, in the currency's smallest unit")
    currency: str = Field("usd", pattern="^[a-z]{3}$")
    success: str = Field("", pattern=r"^(/[!-~]*)?$", description="the page to which Checkout leads back")
    other: _OtherTable | None = None

    @model_validator(mode="after")
    def _seen_in_one_way(self) -> Self:
        by_request = "request" in self.model_fields_set
        if by_request == bool(self.column):
            raise ValueError("either column, or request")
        if self.column and not self.where:
            raise ValueError('where, which says whose row it is, such as where = { id = "17" }')
        if (self.column or self.place) and not self.granted:
            raise ValueError('granted, such as granted = ["active", "trialing"]')
        return self


def check_entitlements(
    entitlements: Mapping[str, EntitlementTable],
    principals: Mapping[str, PrincipalTable],
    operations: Mapping[str, OperationTable],
) -> Iterator[Problem]:
    """Yield what does not fit together."""
    for name, one in entitlements.items():
        place = ["entitlements", name]
        for asking, at in ((one.as_, place), (None if one.other is None else one.other.as_, [*place, "other"])):
            if asking is not None and asking not in principals:
                hint = nearest(asking, principals) if principals else "see [principals]"
                yield [*at, "as"], f"unknown principal {asking!r}", hint
        for earlier in one.after:
            if earlier not in operations:
                hint = nearest(earlier, operations) if operations else "the target file describes no operations"
                yield [*place, "after"], f"there is no operation {earlier!r}", hint
        kept = {key for earlier in one.after if earlier in operations for key in operations[earlier].keep}
        known = {*PLACEHOLDERS, *kept}
        where = one.where if one.other is None else {**one.where, "other": one.other.where}
        for wanted in _NAME.findall(f"{one.request} {one.body} {where} {one.success}"):
            if wanted not in known:
                problem = f"entitlement {name!r} wants {{{wanted}}}, which stands for nothing"
                yield place, problem, nearest(wanted, sorted(known))


def read_entitlement(
    name: str,
    table: EntitlementTable,
    principals: Mapping[str, Principal],
    subject: Subject,
    upstream: UpstreamSpec | None,
) -> Entitlement:
    """Return the domain's entitlement; unless it says more, its price is the subject's, at the double's cost."""
    by_request = not table.column
    method, _, path = table.request.partition(" ")
    price = table.price or subject.ids.get("price", "")
    known = None if upstream is None else upstream.prices.get(price)
    cost = known if table.amount is None else Price(table.amount, table.currency)
    find: Callable[[str | None], Principal | None] = lambda asked: None if asked is None else principals[asked]  # noqa: E731
    other = table.other
    return table.mean(
        Entitlement,
        name=name,
        granted=tuple(map(_text, table.granted)),
        where=_texts(table.where),
        method=method if by_request else "",
        path=path if by_request else "",
        principal=find(table.as_),
        price=price,
        cost=cost,
        other=None
        if other is None
        else other.mean(OtherBeneficiary, where=_texts(other.where), principal=find(other.as_)),
    )


def _texts(values: Mapping[str, _Text]) -> dict[str, str]:
    return {name: _text(value) for name, value in values.items()}


def _text(value: _Text) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
