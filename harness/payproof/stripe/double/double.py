"""Stripe's API in memory: stateful, by Stripe's rules, for what billing services call."""

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable
from itertools import combinations
from types import MappingProxyType

from payproof.domain.sensitive import LIVE_KEYS
from payproof.errors import ConfigurationError
from payproof.stripe.api import ApiAnswer, ApiRequest, api_key, error_body
from payproof.stripe.double.calls import OPERATIONS, Call, Params
from payproof.stripe.double.cards import Cards
from payproof.stripe.double.clock import pass_time
from payproof.stripe.double.delivered import take_in
from payproof.stripe.double.errors import ApiError, invalid
from payproof.stripe.double.hooks import Hooks
from payproof.stripe.double.idempotency import Keys
from payproof.stripe.double.store import ObjectStore
from payproof.stripe.double.test_clocks import find_clock
from payproof.stripe.events import Event
from payproof.stripe.form import FormError
from payproof.stripe.parameters import ParameterError, Schemas

__all__ = ["Double", "Started", "find_route"]

_NOTHING: Mapping[str, str] = MappingProxyType({})
_TEST_KEY = re.compile(r"(sk|rk)_test_\w{1,247}")
_MOST_WAITING = 50  # delivered events whose objects the double has not made yet


@dataclass(frozen=True, slots=True)
class Started:
    """A call that is being worked on; its key, if it has one, is held until the call is finished."""

    request: ApiRequest
    operation: str
    ids: tuple[str, ...]
    api_version: str
    params: Params
    expand: tuple[str, ...]
    key: str
    headers: tuple[tuple[str, str], ...]


class Double:
    """One Stripe account; not for several threads at once.

    Args:
        fixtures: the folder that holds ``events`` and ``api``.
        clock: seconds since 1970.
        seed: whatever is made up depends on it alone, and on the calls.
        api_version: the account's own, for calls without ``Stripe-Version``, and for events.
        card: a test card, such as ``pm_card_visa``, that each new customer is given, as nobody types one in; by
            default none, as at Stripe.
        canaries: the personal data of payers, by the names of ``make_canaries``.
        tell: hears of every secret that is made up, by kind and value.

    Raises:
        ConfigurationError: no such API version, or no such card.
    """

    def __init__(
        self,
        fixtures: Traversable,
        *,
        clock: Callable[[], float],
        seed: int | str,
        api_version: str,
        card: str | None = None,
        canaries: Mapping[str, str] = _NOTHING,
        tell: Callable[[str, str], None] = lambda _kind, _value: None,
    ) -> None:
        self._store = ObjectStore(
            fixtures.joinpath("events"),
            clock=clock,
            seed=seed,
            api_version=api_version,
            canaries=canaries,
            tell=tell,
            cards=Cards(fixtures.joinpath("api", "cards.json"), card),
        )
        self._store.shapes.of(api_version)
        self._schemas = Schemas(fixtures.joinpath("api"))
        self._keys = Keys(clock)
        self._requests = 0
        self._delivered: deque[Event] = deque()
        self.hooks = Hooks(self._store)

    def take_events(self) -> tuple[Event, ...]:
        """Return the webhook events that were not yet taken, oldest first, in the account's API version."""
        self._pass_time()
        return self._store.take_events()

    def take_in(self, event: Event) -> None:
        """Know from now on what a delivered event tells: the event, its object, and whatever that refers to."""
        self._delivered.append(event)
        # A target that asks would wait for all of a burst at its next call.
        if self._requests and len(self._delivered) > _MOST_WAITING:
            take_in(self._store, self._delivered.popleft())

    def answer(self, request: ApiRequest) -> ApiAnswer:
        """Answer a call at once."""
        started = self.begin(request)
        return started if isinstance(started, ApiAnswer) else self.finish(started)

    def begin(self, request: ApiRequest) -> Started | ApiAnswer:
        """Take a call as far as its execution: what is refused before, or was answered before, is answered now."""
        self._pass_time()
        while self._delivered:  # mostly only now, as most targets never ask
            take_in(self._store, self._delivered.popleft())
        self._requests += 1
        number = f"req_{self._requests:014d}"
        headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"), ("Request-Id", number))
        try:
            return self._begin(request, headers)
        except ApiError as error:
            return _refuse(error, headers)

    def _begin(self, request: ApiRequest, headers: tuple[tuple[str, str], ...]) -> Started | ApiAnswer:
        _authenticate(request)
        version, shape = self._version(request)
        headers += (("Stripe-Version", version),)
        name, ids = find_route(request)
        if name not in OPERATIONS or not self._schemas.knows(name, shape):
            message = f"Unrecognized request URL ({request.method}: {request.path})."
            error = invalid(message, status=404, began=False)
            return replace(_refuse(error, headers), unknown=True)
        key = request.headers.get("idempotency-key", "") if request.method == "POST" else ""
        if key:
            headers += (("Idempotency-Key", key),)
        try:
            if key and (known := self._keys.begin(key, request)) is not None:
                return _replay(known, headers)
            try:
                checked = self._schemas.check(name, shape, request.parameters())
            except BaseException:
                if key:
                    self._keys.forget(key)
                raise
        except FormError as error:
            raise invalid(f"Invalid request: {error}.", began=False) from None
        except ParameterError as error:
            raise invalid(error.message, code=error.code, param=error.param, began=False) from None
        expand = tuple(checked.pop("expand", ()))
        return Started(request, name, ids, version, Params(checked), expand, key, headers)

    def finish(self, started: Started, instead: ApiAnswer | None = None) -> ApiAnswer:
        """Execute a call that was begun, or let its execution end in another answer, which its key keeps as well."""
        store, key = self._store, started.key
        store.request = {"id": dict(started.headers)["Request-Id"], "idempotency_key": key or None}
        try:
            answer, began = self._execute(started) if instead is None else (_with_head(instead, started), True)
        except BaseException:
            store.roll_back()
            if key:
                self._keys.forget(key)
            raise
        finally:
            store.request = {"id": None, "idempotency_key": None}
        if key and began:
            self._keys.finish(key, answer)
        elif key:
            self._keys.forget(key)
        return answer

    def _execute(self, started: Started) -> tuple[ApiAnswer, bool]:
        store = self._store
        try:
            with store.at_clock(find_clock(store, [started.ids, started.params.given])):
                found = OPERATIONS[started.operation](_call(store, started))
            shown = store.shapes.render(found, started.api_version)
            for path in started.expand:
                shown = store.shapes.expand(shown, path, started.api_version)
        except ApiError as error:
            store.roll_back()
            for name in {"payment_intent", "payment_method"} & error.error.keys():
                error.error[name] = store.shapes.render(error.error[name], started.api_version)
            return _refuse(error, started.headers), error.began
        store.commit()
        # Not indented as Stripe's, which takes five times as long and which no client sees.
        body = json.dumps(shown, ensure_ascii=False).encode()
        return ApiAnswer(200, started.headers, body, ignored=started.params.unseen), True

    def _version(self, request: ApiRequest) -> tuple[str, str]:
        version = request.headers.get("stripe-version", "").partition(";")[0] or self._store.api_version
        try:
            return version, self._store.shapes.of(version)
        except ConfigurationError:
            raise invalid(f"Invalid Stripe API version: {version}", began=False) from None

    def _pass_time(self) -> None:
        pass_time(self._store)
        self._store.commit()


def _call(store: ObjectStore, started: Started) -> Call:
    """Return what an operation works on."""
    owner, *_, last = (*started.ids, *started.ids) or ("", "")
    return Call(store, started.params, last, owner)


def _authenticate(request: ApiRequest) -> None:
    key = api_key(request.headers)
    if not key:
        message = "You did not provide an API key. You need to provide your API key in the Authorization header."
        raise invalid(message, status=401, began=False)
    if key.startswith(LIVE_KEYS) or not _TEST_KEY.fullmatch(key):
        shown = f"{key[:8]}{'*' * max(0, len(key) - 12)}{key[-4:]}"
        raise invalid(f"Invalid API Key provided: {shown}", status=401, began=False)


def find_route(request: ApiRequest) -> tuple[str, tuple[str, ...]]:
    """Return the operation's name and the ids in the path; a fixed word wins over an id."""
    path = request.path.rstrip("/")
    name = f"{request.method} {path}"
    if name in OPERATIONS:
        return name, ()
    parts = path.split("/")
    places = range(len(parts) - 1, 2, -1)
    for chosen in (*((one,) for one in places), *combinations(places, 2)):
        general = f"{request.method} {'/'.join('{}' if place in chosen else part for place, part in enumerate(parts))}"
        if general in OPERATIONS:
            return general, tuple(parts[place] for place in sorted(chosen))
    return name, ()


def _refuse(error: ApiError, headers: tuple[tuple[str, str], ...]) -> ApiAnswer:
    request_id = dict(headers)["Request-Id"]
    told = dict(error.error)
    told["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
    return ApiAnswer(error.status, headers, error_body(told))


def _replay(known: ApiAnswer, headers: tuple[tuple[str, str], ...]) -> ApiAnswer:
    first = dict(known.headers)["Request-Id"]
    return replace(known, headers=(*headers, ("Idempotent-Replayed", "true"), ("Original-Request", first)))


def _with_head(instead: ApiAnswer, started: Started) -> ApiAnswer:
    given = {name.lower() for name, _ in instead.headers}
    missing = ((name, value) for name, value in started.headers if name.lower() not in given)
    return replace(instead, headers=(*instead.headers, *missing))
