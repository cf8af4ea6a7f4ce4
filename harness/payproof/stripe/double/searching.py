"""Search, in Stripe's query language: ``status:'active' AND metadata['plan']:'team'``.

Clauses are joined by AND or by OR, not by both. ``:`` compares whole values without regard to case, ``~`` finds a part
of a text, ``>``, ``>=``, ``<`` and ``<=`` compare numbers, a leading ``-`` negates, and ``null`` is what is not there
(https://docs.stripe.com/search).
"""

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from payproof.stripe.double.calls import Call, operation
from payproof.stripe.double.errors import ApiError, invalid
from payproof.stripe.double.relations import Object

_CARD = "payment_method_details.card."
#: By what is searched: the kind, and the fields that a query may name beside metadata.
_SEARCHED = {
    "charges": (
        "charge",
        *("amount", "billing_details.address.postal_code", "created", "currency", "customer", "disputed"),
        *(_CARD + name for name in ("brand", "exp_month", "exp_year", "fingerprint", "last4")),
        *("refunded", "status"),
    ),
    "customers": ("customer", "created", "email", "name", "phone"),
    "invoices": (
        "invoice",
        *("created", "currency", "customer", "number", "receipt_number", "status", "subscription", "total"),
    ),
    "payment_intents": ("payment_intent", "amount", "created", "currency", "customer", "status"),
    "prices": ("price", "active", "currency", "lookup_key", "product", "type"),
    "products": ("product", "active", "description", "name", "shippable", "url"),
    "subscriptions": ("subscription", "canceled_at", "created", "status"),
}
_LIMIT, _MOST, _LEAST_PART = 10, 100, 3
_TEXT = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_CLAUSE = re.compile(
    rf"\s*(?P<not>-?)(?P<field>[\w.]+)(?:\[(?P<key>{_TEXT})\])?\s*(?P<sign>:|~|>=|<=|>|<)\s*"
    rf"(?P<value>{_TEXT}|null|true|false|-?\d+(?:\.\d+)?)\s*"
)
_JOIN = re.compile(r"(AND|OR)\b", re.IGNORECASE)
_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True, slots=True)
class _Clause:
    """One comparison of a query; ``value`` is None for null."""

    field: str
    key: str | None
    sign: str
    value: str | None
    negated: bool

    def holds(self, one: Object) -> bool:
        """Whether an object is what the clause asks for."""
        return self._compare(_read(one, self.field, self.key)) is not self.negated

    def _compare(self, found: Any) -> bool:
        if self.value is None or found is None:
            return self.sign == ":" and found is None and self.value is None
        if self.sign in _ORDER:
            return _ORDER[self.sign](float(found), float(self.value))
        text = (str(found).lower() if isinstance(found, bool) else str(found)).casefold()
        return self.value.casefold() in text if self.sign == "~" else self.value.casefold() == text


def _read(one: Object, field: str, key: str | None) -> Any:
    if field == "subscription":
        one = (one.get("parent") or {}).get("subscription_details") or {}
    value: Any = one
    for part in [*field.split("."), *([] if key is None else [key])]:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _parse(query: str, fields: tuple[str, ...]) -> tuple[list[_Clause], str]:
    """Return the clauses of a query, and by which word they are joined.

    Raises:
        ApiError: it is none.
    """
    clauses, joins, place = [], set[str](), 0
    while (found := _CLAUSE.match(query, place)) is not None:
        clauses.append(_clause(found, fields, query))
        place = found.end()
        join = _JOIN.match(query, place)
        if join is None:
            break
        joins.add(join[1].upper())
        place = join.end()
    else:
        raise _unreadable(query)
    if place < len(query) or len(joins) > 1:
        raise _unreadable(query)
    return clauses, next(iter(joins), "AND")


def _clause(found: re.Match[str], fields: tuple[str, ...], query: str) -> _Clause:
    key, value = found["key"], found["value"]
    if (found["field"] == "metadata") != (key is not None) or found["field"] not in {*fields, "metadata"}:
        raise invalid(f"Field `{found['field']}` is an unsupported search field.", param="query", began=False)
    plain = None if value == "null" else _unquote(value)
    number = plain is not None and plain.replace(".", "", 1).lstrip("-").isdigit()
    if (found["sign"] in _ORDER and not number) or (found["sign"] == "~" and len(plain or "") < _LEAST_PART):
        raise _unreadable(query)
    return _Clause(found["field"], key and _unquote(key), found["sign"], plain, bool(found["not"]))


def _unquote(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[:1] in {"'", '"'} else text


def _unreadable(query: str) -> ApiError:
    message = (
        f"We were unable to parse your search query: {query[:200]}. See https://docs.stripe.com/search for the syntax."
    )
    return invalid(message, param="query", began=False)


def _register(name: str, kind: str, fields: tuple[str, ...]) -> None:
    url = f"/v1/{name}/search"

    @operation(f"GET {url}")
    def search(call: Call) -> Object:
        clauses, join = _parse(call.params["query"], fields)
        whole = all if join == "AND" else any
        return _page(call, (one for one in call.store.all(kind) if whole(clause.holds(one) for clause in clauses)), url)


def _page(call: Call, found: Iterator[Object], url: str) -> Object:
    """Return a page of what was found; ``page`` is the number of the first entry, as a text that means nothing else."""
    limit, token = call.params.get("limit", _LIMIT), call.params.get("page", "0")
    if not 1 <= limit <= _MOST:
        message = f"Invalid integer: limit must be between 1 and {_MOST}."
        raise invalid(message, code="parameter_invalid_integer", param="limit", began=False)
    if not token.isdecimal():
        raise invalid("Invalid page.", param="page", began=False)
    everything, first = [*found], int(token)
    more = len(everything) > first + limit
    shown = everything[first : first + limit]
    after = str(first + limit) if more else None
    return {"object": "search_result", "data": shown, "has_more": more, "next_page": after, "url": url}


for _name, (_kind, *_fields) in _SEARCHED.items():
    _register(_name, _kind, tuple(_fields))
