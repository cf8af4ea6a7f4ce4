"""The account at Stripe that payment flows are played at: the double, or Stripe's test mode by the user's key."""

import asyncio
from collections.abc import Mapping, Sequence
from time import time
from typing import Any

from payproof.adapters.data import data_folder
from payproof.adapters.upstream.backends import DoubleBackend, HttpBackend, StripeTestMode
from payproof.domain.subject import PREFIXES, Subject
from payproof.domain.target import Target
from payproof.errors import BackendGoneError, ConfigurationError, InconclusiveError, Reason
from payproof.stripe.api import ApiRequest, Backend, Failing
from payproof.stripe.double import Double
from payproof.stripe.form import encode

__all__ = ["ApiAccount", "open_account"]

_KEY = "sk_" + "test_" + "payproof"
_REFUSED = range(400, 600)
_PAGE, _MOST_PAGES = 100, 20
# Stripe writes the events of an advanced clock after it is ready.
_QUIET_SECONDS, _LONGEST_SECONDS = 3.0, 60.0
_AMOUNT = 1000


def _sell(double: DoubleBackend, price: str) -> None:
    double.act(lambda hooks: hooks.sell(price, amount=_AMOUNT, currency="usd", recurring=True))


class ApiAccount:
    """An account behind a backend that answers calls; nothing but what a payer does on a page goes another way."""

    def __init__(self, backend: DoubleBackend | HttpBackend, prices: Sequence[str]) -> None:
        self._backend, self._prices = backend, tuple(prices)

    @property
    def prices(self) -> Sequence[str]:
        """The recurring prices that the target knows."""
        return self._prices

    async def call(self, method: str, path: str, parameters: Mapping[str, Any], api_version: str) -> dict[str, Any]:
        """Call the API, and return what it answers.

        Raises:
            InconclusiveError: it refuses, or gives no answer.
        """
        form = encode(parameters)
        headers = {"authorization": f"Bearer {_KEY}", "content-type": "application/x-www-form-urlencoded"}
        headers |= {"stripe-version": api_version} if api_version else {}
        posted = method == "POST"
        request = ApiRequest(method, path, "" if posted else form, headers, form.encode() if posted else b"")
        try:
            answer = await self._backend.answer(request, Failing())
            content = answer.json()
        except BackendGoneError as error:
            raise InconclusiveError(Reason.UPSTREAM_FAILED, str(error)) from None
        except ValueError:
            raise InconclusiveError(Reason.UPSTREAM_FAILED, f"{method} {path}: no JSON came back") from None
        if answer.status in _REFUSED:
            message = content.get("error", {}).get("message", "no message")
            raise InconclusiveError(
                Reason.PREPARATION_FAILED, f"{method} {path}: Stripe answers {answer.status}: {message}"
            )
        return dict(content)

    async def find_last_event(self) -> str:
        """Return the id of the latest event; empty where there is none."""
        latest = (await self._page({"limit": 1}))["data"]
        return str(latest[0]["id"]) if latest else ""

    async def list_events(self, after: str) -> Sequence[Mapping[str, Any]]:
        """Return the events since one, or with an empty id all, oldest first, once they are there."""
        found = await self._since(after)
        if isinstance(self._backend, DoubleBackend):
            return found
        waited = 0.0
        while waited < _LONGEST_SECONDS:
            await asyncio.sleep(_QUIET_SECONDS)
            waited += _QUIET_SECONDS
            again = await self._since(after)
            if len(again) == len(found):
                break
            found = again
        return found

    async def _since(self, after: str) -> list[Mapping[str, Any]]:
        """Return the events since one, page by page away from it, or, where there was none, from the latest on back."""
        found: list[Mapping[str, Any]] = []
        paging: dict[str, Any] = {"limit": _PAGE, **({"ending_before": after} if after else {})}
        for _ in range(_MOST_PAGES):
            page = await self._page(paging)
            found = [*found, *page["data"][::-1]] if after else [*page["data"][::-1], *found]
            if not page["has_more"]:
                break
            paging |= {"ending_before": found[-1]["id"]} if after else {"starting_after": found[0]["id"]}
        return found

    async def _page(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        return await self.call("GET", "/v1/events", parameters, "")

    def visit_page(self, session_id: str, card: str, what: str) -> None:
        """Do on a page of Stripe's what a payer does there.

        Raises:
            InconclusiveError: it is a page of Stripe's own, which needs a browser and a person.
        """
        if not isinstance(self._backend, DoubleBackend):
            detail = "what a payer does on a page of Stripe's cannot be done by its API; take the built-in double"
            raise InconclusiveError(Reason.PREPARATION_FAILED, detail)
        try:
            if what in {"pay", "later"}:
                self._backend.act(lambda hooks: hooks.complete_checkout(session_id, card, asynchronous=what == "later"))
            else:
                self._backend.act(lambda hooks: hooks.settle_checkout(session_id, succeeded=what == "succeed"))
        except ConfigurationError as error:
            raise InconclusiveError(Reason.PREPARATION_FAILED, str(error)) from None

    def prepare(self, subject: Subject, after_retries: str) -> None:
        """Have a new customer at the double be the one that the target knows, and set what the dashboard sets."""
        if isinstance(self._backend, DoubleBackend):
            customer = subject.ids.get(PREFIXES["customer"])
            self._backend.act(lambda hooks: hooks.prepare(customer, after_retries))

    async def close(self) -> None:
        """Let go of connections."""
        if not isinstance(self._backend, DoubleBackend):
            await self._backend.close()


def open_account(target: Target, behind: Backend | None, seed: int | str) -> ApiAccount | None:
    """Return the account that a target's flows are played at; None where what answers for Stripe has no state.

    ``behind`` is the backend of the target's upstream. A target that calls no Stripe of the harness's gets the events
    of a double of its own.
    """
    spec = target.upstream
    prices, known = target.recurring_prices, () if spec is None else spec.prices
    if spec is not None and spec.backend == "stripe" and spec.key is not None:
        return ApiAccount(StripeTestMode(spec.key), prices)
    if behind is None:
        version = target.webhook.api_version
        behind = DoubleBackend(Double(data_folder("fixtures"), clock=time, seed=seed, api_version=version))
    if not isinstance(behind, DoubleBackend):
        return None
    for name in prices:
        if name not in known:  # of the subject: no file says what it costs
            _sell(behind, name)
    return ApiAccount(behind, prices)
