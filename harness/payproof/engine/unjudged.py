"""What cannot be judged on a target, by the tables and keys of its file that would let it be: pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from payproof.domain.check import Expectation
from payproof.domain.observation import Channel
from payproof.domain.scenario import Case, Scenario
from payproof.domain.target import Target
from payproof.domain.verdict import Skipped
from payproof.domain.wants import CHANNEL_WANTS, sort_wants
from payproof.engine.judge import skip

__all__ = ["UnjudgedGroup", "foresee_skip", "group_unjudged"]


@dataclass(frozen=True, slots=True)
class UnjudgedGroup:
    """Cases that the same tables or keys would let be judged; without ``wants`` no line of a target file would.

    ``also`` are further tables or keys, with how many of the cases want them too. ``reasons`` are the distinct ones,
    the most frequent first.
    """

    wants: tuple[str, ...]
    cases: tuple[str, ...]
    reasons: tuple[str, ...]
    also: Mapping[str, int] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The tables or keys, or that there are none."""
        return " and ".join(self.wants) or "nothing in the target file"


def group_unjudged(skipped: Iterable[tuple[str, Skipped]]) -> tuple[UnjudgedGroup, ...]:
    """Return the cases that were skipped, by id, in groups: the largest first, and at the end what nothing would help.

    A case belongs to one group: that of the first table that it wants. What most cases of a group want besides is named
    with it.
    """
    by_first: dict[str, list[tuple[str, Skipped]]] = defaultdict(list)
    for id_, verdict in skipped:
        by_first["".join(sort_wants(verdict.wants)[:1])].append((id_, verdict))
    groups = [_group(members) for members in by_first.values()]
    return tuple(sorted(groups, key=lambda one: (not one.wants, -len(one.cases), one.title)))


def _group(members: list[tuple[str, Skipped]]) -> UnjudgedGroup:
    counts = Counter(want for _, verdict in members for want in verdict.wants)
    common = sort_wants(want for want, times in counts.items() if 2 * times > len(members))
    also = {want: counts[want] for want in sort_wants(counts) if want not in common}
    reasons = Counter(verdict.why for _, verdict in members)
    return UnjudgedGroup(common, tuple(id_ for id_, _ in members), tuple(why for why, _ in reasons.most_common()), also)


def foresee_skip(target: Target, scenario: Scenario, case: Case) -> Skipped | None:
    """Return why a case will not be judged on a target, as far as its file tells that before a run.

    Beside what makes no sense on the target, that is a case whose checks see nothing of a channel that nobody opens.
    """
    if (known := skip(target, scenario, case)) is not None:
        return known
    control = () if scenario.control is None else scenario.control.expectations
    waived = {one.channel for one in target.contract.waivers}
    closed = {channel for channel, is_open in _openings(target) if not is_open}
    for expectations, whose in ((control, " of the control"), (case.phase.expectations, "")):
        blind = closed - waived
        unseen = [f"{one.name} would see no {channel}" for one in expectations for channel in one.channels & blind]
        if unseen:
            return Skipped("; ".join(unseen), _want_channels(expectations, blind))
        if expectations and all(one.channels and one.channels <= closed for one in expectations):
            return Skipped(f"every expectation{whose} is waived", _want_channels(expectations, closed))
    return None


def _openings(target: Target) -> Iterator[tuple[Channel, bool]]:
    """Yield each channel that a target file opens, and whether this one does."""
    yield Channel.STORE, bool(target.stores)
    yield Channel.LOG, bool(target.logs)
    yield Channel.STRIPE, target.upstream is not None
    yield Channel.ENTITLEMENT, bool(target.entitlements)


def _want_channels(expectations: Iterable[Expectation], closed: Iterable[Channel]) -> tuple[str, ...]:
    shut = frozenset(closed)
    return sort_wants(CHANNEL_WANTS[channel] for one in expectations for channel in one.channels & shut)
