"""Whether an event in the shape of another API version has its whole effect, judged by the rows that it leaves."""

import pytest

from payproof.checks.same_effect import SameEffect
from payproof.domain.kind import Kind
from payproof.domain.observation import Answer, Exchange, RowSeen, Sent, StoreChange
from payproof.domain.seen import Seen
from payproof.domain.target import Contract

WHOLE = {"id": "{sub}", "status": "active", "period_end": "1790000000", "cancels": "0"}


def found(*, other, status=200):
    """Return what is found where an event has left a whole row twice, and in another shape what is told."""
    rows = {1: WHOLE, 3: WHOLE, 5: other}
    changes = [
        StoreChange(step, "database", (), rows=(RowSeen("subs", tuple(row.items())),)) for step, row in rows.items()
    ]
    sent = Sent("POST", "https://127.0.0.1/webhook", "", 0, "", event="customer.subscription.created")
    answered = Exchange(5, sent, Answer(status, (), "", 0, 0.01))
    return [*SameEffect().judge(Seen(Contract(), (*changes, answered)))]


@pytest.mark.parametrize("nothing", ["None", "", "null", "0"], ids=["null", "no_text", "json_null", "zero_value"])
def test_a_value_that_is_missing_is_found(nothing):
    """A column that the usual shape fills must be filled; a language's zero value is none, as of a field of Go."""
    (finding,) = found(other=WHOLE | {"period_end": nothing})
    assert (finding.kind, finding.step) == (Kind.EFFECT_LESSENED, 5)
    assert "nothing in period_end" in finding.seen


def test_the_whole_effect_and_a_refusal_hold():
    """What is 0 in the usual shape too has not been lost, and what is refused need not have an effect."""
    assert found(other=WHOLE) == []
    assert found(other=WHOLE | {"period_end": "0"}, status=400) == []
