"""Names the spots in which findings stand, without what differs from run to run: ids, numbers, times, values."""

from urllib.parse import urlsplit

from payproof.domain.channel import Channel
from payproof.domain.finding import Spot
from payproof.domain.leak import Place
from payproof.domain.observation import ABSENT, Answer, Counted, Exchange, InstanceStarted, Searched
from payproof.domain.seen import Seen
from payproof.domain.shapes import shorten_line, shorten_name, strip_ids

__all__ = [
    "ALL_ANSWERS",
    "spot_of_answer",
    "spot_of_call",
    "spot_of_column",
    "spot_of_leak",
    "spot_of_line",
    "spot_of_operations",
    "spot_of_route",
    "spot_of_start",
    "spot_of_table",
]

#: What a server shows at all of its routes, or at none: it is mended in one place.
ALL_ANSWERS = Spot(Channel.HTTP, "answers")

#: What is asked for at many made-up places is no spot each.
_NOWHERE = "a route that is not there"


def spot_of_answer(exchange: Exchange) -> Spot:
    """Return the spot of an answer: its route, and the sort of its status."""
    answer = exchange.answer
    status = f"{answer.status // 100}xx" if isinstance(answer, Answer) else "no answer"
    return Spot(Channel.HTTP, f"{_name_route(exchange)}, {status}")


def spot_of_route(exchange: Exchange) -> Spot:
    """Return the spot of a route, whatever it was answered."""
    return Spot(Channel.HTTP, _name_route(exchange))


def _name_route(exchange: Exchange) -> str:
    sent, answer = exchange.sent, exchange.answer
    if sent.route:
        return sent.route
    if sent.role == "nowhere" or (isinstance(answer, Answer) and answer.status in ABSENT):
        return _NOWHERE
    return f"{sent.method} {strip_ids(urlsplit(sent.url).path) or '/'}"


def spot_of_column(source: str, table: str = "", column: str = "") -> Spot:
    """Return the spot of a table's column, or of a table, or of a store."""
    place = ".".join(filter(None, (table, column.partition(".")[0])))  # whatever keys a JSON document in it has
    return Spot(Channel.STORE, ", ".join(filter(None, (f"store {source}".strip(), place))))


def spot_of_line(source: str, line: str) -> Spot:
    """Return the spot of a log's line: the log, and the line's shape."""
    shape = shorten_line(line)
    return Spot(Channel.LOG, f"log {source}: {shape}" if shape else f"log {source}")


def spot_of_call(pattern: str) -> Spot:
    """Return the spot of a call to Stripe, by its method and path: ``POST /v1/subscriptions/*``."""
    method, _, path = pattern.partition(" ")
    return Spot(Channel.STRIPE, f"{method} {strip_ids(path)}".replace("*", "{}") if path else "calls to Stripe")


def spot_of_operations(seen: Seen) -> Spot:
    """Return the spot of what the operations cause: their calls to Stripe."""
    return spot_of_call(next((one.sent.calls for one in seen.operations), ""))


def spot_of_start(started: InstanceStarted) -> Spot:
    """Return the spot of an instance's start."""
    return Spot(Channel.PROCESS, f"an instance started {started.told}")


def spot_of_table(seen: Seen, table: str) -> Spot:
    """Return the spot of a table of which only the name is known."""
    counted = (one.source for one in seen.observations if isinstance(one, Counted))
    return spot_of_column(next(counted, ""), table)


def spot_of_leak(search: Searched, place: Place) -> Spot:
    """Return the spot of what a search of a whole source has found."""
    if place.table and search.channel is Channel.STORE:
        return spot_of_column(search.source, place.table, place.field)
    if place.table:
        # Of a cache a field may be an id, and so may the end of a key.
        inner = ".".join(filter(None, (place.table, strip_ids(place.field))))
        return Spot(search.channel, f"{search.channel} {search.source}, {inner}")
    names = (place.source.rpartition("/")[2], *place.part) if search.channel is Channel.FILE else ()
    path = "/".join(map(shorten_name, names))
    return Spot(search.channel, ", ".join(filter(None, (f"{search.channel} {search.source}", path))))
