"""Chooses orders of events by a state machine of Hypothesis, and makes one that fails as small as it can."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from hypothesis import seed
from hypothesis import strategies as st
from hypothesis.errors import Flaky
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from payproof.fuzzing.constants import without_local_constants
from payproof.fuzzing.quiet_settings import make_settings

__all__ = ["Delivered", "explore_orders"]

#: A delivery: which life it is of, from 0 in the order in which they begin, and the number of its event from 1.
Delivered = tuple[int, int]

_MANY = 63  # of a number that says which of few


class _OlderStateError(AssertionError):
    """An older state was seen."""


class _Orders(RuleBasedStateMachine):
    """One order: each event of a life comes, some again, and what is missing at the end comes oldest first.

    It is tried as a whole at its end, so that none is tried twice while one is made small.
    """

    events: ClassVar[int]
    lives: ClassVar[int]
    fails: ClassVar[Callable[[tuple[Delivered, ...]], bool]]

    def __init__(self) -> None:
        super().__init__()
        self.pending = {life: [*range(1, self.events + 1)] for life in range(self.lives)}
        self.order: list[Delivered] = []

    @rule(life=st.integers(0, _MANY), place=st.integers(0, _MANY))
    def come(self, life: int, place: int) -> None:
        """Let one of the events come that have not come yet."""
        pending = self.pending[life % self.lives]
        if pending:
            self.order.append((life % self.lives, pending.pop(place % len(pending))))

    @precondition(lambda self: self.order)
    @rule(which=st.integers(0, _MANY))
    def come_again(self, which: int) -> None:
        """Let an event come again."""
        self.order.append(self.order[which % len(self.order)])

    def teardown(self) -> None:
        """Let what is missing come of each life that has begun, and try the order."""
        names = {life: number for number, life in enumerate(dict.fromkeys(life for life, _ in self.order))}
        order = (*self.order, *((life, number) for life in names for number in self.pending[life]))
        if type(self).fails(tuple((names[life], number) for life, number in order)):
            raise _OlderStateError


def explore_orders(
    try_order: Callable[[Sequence[Delivered]], int],
    *,
    events: int,
    lives: int,
    examples: int,
    steps: int,
    random_seed: int,
) -> Sequence[Delivered]:
    """Deliver the events of some lives in many orders, and return the smallest after which something was wrong.

    Args:
        try_order: delivers events of new lives in an order; returns after how many something was wrong, or 0, as it
            always does once no more is to be sent.
        events: of each life.
        lives: that are told at the same time.
        examples: how many orders are tried at most, before one fails.
        steps: deliveries that each begins with; what is missing then of a life that has begun comes oldest first.
        random_seed: repeats the orders.
    """
    tried: dict[tuple[Delivered, ...], int] = {(): 0}

    def fails(order: tuple[Delivered, ...]) -> bool:
        if order not in tried:
            tried[order] = try_order(order)
        return bool(tried[order])

    machine = type("Orders", (_Orders,), {"events": events, "lives": lives, "fails": staticmethod(fails)})
    asked = make_settings(examples, stateful_step_count=steps)
    try:
        with without_local_constants():
            run_state_machine_as_test(seed(random_seed)(machine), settings=asked)
    except (_OlderStateError, Flaky):
        # A target that works later fails now and then; what was found is found.
        pass
    return min((order[:many] for order, many in tried.items() if many), key=len, default=())
