"""Opens the upstream that a target file asks for, and lets faults strike by name."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random
from time import time
from urllib.parse import urlsplit

from payproof.adapters.data import data_folder
from payproof.adapters.upstream.backends import DoubleBackend, HttpBackend, StripeTestMode
from payproof.adapters.upstream.server import UpstreamServer
from payproof.adapters.upstream.stripe_mock import stripe_mock
from payproof.canary import Ledger
from payproof.checks.no_disclosure import PAYERS_OWN
from payproof.domain.made_event import MadeEvent
from payproof.domain.operation import Trouble, UpstreamSpec
from payproof.domain.stripe_call import StripeCall, StripeConnection
from payproof.errors import ConfigurationError, InconclusiveError, Reason
from payproof.stripe.api import Backend
from payproof.stripe.double import Double
from payproof.stripe.events import Event
from payproof.stripe.upstream.errors import Errors
from payproof.stripe.upstream.fault_names import FAULTS, UNSAFE_CONNECTIONS
from payproof.stripe.upstream.faults import Fault, Moment
from payproof.stripe.upstream.plan import Plan, Rule

__all__ = ["OpenUpstream", "known_faults", "open_upstream"]


def known_faults(api_version: str) -> frozenset[str]:
    """Return the name of every fault: those of the way to Stripe, and the errors that Stripe documents."""
    return (
        frozenset(FAULTS)
        | frozenset(UNSAFE_CONNECTIONS)
        | {error.name for error in Errors(data_folder("fixtures"), api_version=api_version)}
    )


class OpenUpstream:
    """An upstream that listens; the engine's port to it."""

    def __init__(self, server: UpstreamServer, backend: Backend, *, api_version: str) -> None:
        self._server, self._backend = server, backend
        self._errors = Errors(data_folder("fixtures"), api_version=api_version)

    @property
    def backend(self) -> Backend:
        """What answers behind it."""
        return self._backend

    @property
    def url(self) -> str:
        """The base of Stripe's API, as the target is to be told."""
        return next(iter(self._server.urls.values()))

    @property
    def ca_file(self) -> str | None:
        """The file that the target is to trust, for HTTPS."""
        return self._server.ca_file

    @property
    def elsewhere(self) -> str:
        """The base of a URL at which nobody has a reason to call; whoever does is among the calls."""
        return self._server.elsewhere

    def arm(self, troubles: Sequence[Trouble], random: Random, conceal: Callable[[str, str, bytes], None]) -> None:
        """Let these faults strike from now on, and no others; those of connections strike each new one.

        Raises:
            ConfigurationError: no such fault.
            InconclusiveError: a fault that this machine or the upstream's address cannot have.
        """
        connections = tuple(UNSAFE_CONNECTIONS[one.name] for one in troubles if one.name in UNSAFE_CONNECTIONS)
        calls = (one for one in troubles if one.name not in UNSAFE_CONNECTIONS)
        plan = Plan(tuple(self._rule(one, random, conceal) for one in calls), connections, lasting=True)
        try:
            self._server.plan(plan)
        except ConfigurationError as error:
            raise InconclusiveError(Reason.UPSTREAM_FAILED, str(error)) from None
        if not troubles:
            self._server.end_stalled()

    def _rule(self, trouble: Trouble, random: Random, conceal: Callable[[str, str, bytes], None]) -> Rule:
        method, _, path = trouble.calls.partition(" ")
        fault = self._fault(trouble, random, conceal)
        times = 1 if trouble.times is None else trouble.times
        return Rule((fault,) * times, method, path, after=trouble.after, lasting=trouble.times is None)

    def _fault(self, trouble: Trouble, random: Random, conceal: Callable[[str, str, bytes], None]) -> Fault:
        if trouble.name in FAULTS:
            return FAULTS[trouble.name]
        return self._errors.fault(
            trouble.name,
            random,
            conceal,
            moment=Moment(trouble.moment),
            retry_after=trouble.retry_after,
            should_retry=trouble.should_retry,
        )

    def count_calls(self) -> int:
        """Return how many calls have arrived."""
        return self._server.count_calls()

    def calls(self, since: int) -> tuple[StripeCall, ...]:
        """Return the calls from a number on, in the order in which they arrived."""
        return self._server.calls(since)

    def connections(self, since: int) -> tuple[StripeConnection, ...]:
        """Return the connections from a number on that had a fault or came to nothing."""
        return self._server.connections(since)

    def take_in(self, event: MadeEvent) -> None:
        """Have the double know what a delivered event tells; no other backend is told."""
        if isinstance(self._backend, DoubleBackend) and isinstance(event, Event):
            self._backend.take_in(event)

    def take_caused_events(self) -> tuple[Event, ...]:
        """Return the events that the double has written since this was asked last; no other backend tells of any."""
        return self._backend.take_events() if isinstance(self._backend, DoubleBackend) else ()

    def check(self) -> None:
        """Raise InconclusiveError, once, when what was recorded cannot be judged."""
        self._server.check()

    def hint(self) -> str:
        """Return how a target that has never called is told to, or an empty text where it has."""
        return self._server.hint()


@contextmanager
def open_upstream(spec: UpstreamSpec, *, ledger: Ledger, api_version: str, seed: int | str) -> Iterator[OpenUpstream]:
    """Listen, with what answers behind it, for as long as the context lasts.

    Raises:
        ConfigurationError: the port is taken, there is no such backend or card, or a certificate cannot be made.
    """
    parts = urlsplit(spec.url)
    ports = {scheme: parts.port if parts.scheme == scheme else None for scheme in ("http", "https")}
    folder = None if spec.folder is None else Path(spec.folder)
    with ExitStack() as stack:
        backend = stack.enter_context(_backend(spec, ledger, api_version, seed))
        server = UpstreamServer(
            backend, ledger=ledger, http_port=ports["http"], https_port=ports["https"], folder=folder
        )
        stack.enter_context(server)
        yield OpenUpstream(server, backend, api_version=api_version)


@contextmanager
def _backend(spec: UpstreamSpec, ledger: Ledger, api_version: str, seed: int | str) -> Iterator[Backend]:
    match spec.backend:
        case "double":
            double = Double(
                data_folder("fixtures"),
                clock=time,
                seed=seed,
                api_version=api_version,
                card=spec.card,
                tell=lambda kind, value: ledger.add(kind, PAYERS_OWN, value.encode(), lasting=True),
            )
            for name, price in spec.prices.items():
                double.hooks.sell(name, amount=price.amount, currency=price.currency, recurring=price.recurring)
            yield DoubleBackend(double)
        case "stripe-mock":
            with stripe_mock() as mock:
                yield mock
        case "stripe":
            if spec.key is None:
                raise ConfigurationError("Stripe's test mode needs a key", hint="name its variable with key_env")
            yield StripeTestMode(spec.key)
        case url:
            yield HttpBackend(url)
