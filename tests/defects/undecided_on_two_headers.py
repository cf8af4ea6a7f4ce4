"""Of two signature headers the first or the last is taken by turns, as by two workers with different frameworks."""

import itertools

from payproof_reference.services.events import webhooks


def plant() -> None:
    parse_header, turns = webhooks.parse_header, itertools.cycle([0, -1])
    webhooks.parse_header = lambda headers: parse_header([headers[next(turns)]] if len(headers) > 1 else headers)
