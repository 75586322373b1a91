"""How the desk does, from its records: waits, replies, what was solved for good, stars and thumbs. Pure functions.

A time with people counts as solved when its outcome says so (`solved` of the policy) and the same customer did not need
people again within 7 days of its end. What ended less than 7 days ago may still be reopened, and is counted as it stands.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.desk.cases import LEFT, RETURNED
from bot.domain import AgentId
from bot.roster import EscalationRecord, Feedback, Thumb

REOPENED_WITHIN = timedelta(days=7)
_Z = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """So many of so many, and the 95% interval of the rate (Wilson)."""

    count: int
    of: int

    @property
    def rate(self) -> float | None:
        """In [0, 1]; None of nothing."""
        return self.count / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The bounds in [0, 1]."""
        if not self.of:
            return None
        share, n = self.count / self.of, self.of
        middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
        half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What came of some times with people; waits in seconds, the median and the 90th percentile, stars on average."""

    what: str
    number: int
    claimed: Share
    waits: tuple[float, float] | None
    replies: tuple[float, float] | None
    solved: Share
    reopened: Share
    stars: float | None
    rated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything of some days. `thumbs_bot` and `thumbs_people` are the shares of thumbs that were up.

    `stars` and `stars_bot` say how many gave people, and the assistant, one star, two, up to five.
    """

    whole: Figures
    by_reason: Sequence[Figures]
    by_agent: Sequence[Figures]
    reopened: Collection[tuple[str, int]]
    thumbs_bot: Share
    thumbs_people: Share
    stars: Sequence[int]
    stars_bot: Sequence[int]


def build_report(
    records: Sequence[EscalationRecord], later: Sequence[EscalationRecord], feedback: Feedback, solved: Collection[str]
) -> Report:
    """The report on `records`; `later` are all that may have reopened one of them (they may be the same)."""
    again = find_reopened(records, later)

    def figures(what: str, some: Sequence[EscalationRecord]) -> Figures:
        return read_figures(what, some, solved, again)

    return Report(
        whole=figures("All", records),
        by_reason=_by(records, lambda record: record.reason, figures),
        by_agent=_by([one for one in records if one.agent], lambda record: str(record.agent), figures),
        reopened=again,
        thumbs_bot=_up(thumb for thumb in feedback.thumbs if not thumb.author),
        thumbs_people=_up(thumb for thumb in feedback.thumbs if thumb.author),
        stars=_count(record.rating for record in records),
        stars_bot=_count(one.stars for one in feedback.comments if one.agent is None),
    )


def read_figures(
    what: str, records: Sequence[EscalationRecord], solved: Collection[str], again: Collection[tuple[str, int]]
) -> Figures:
    """The figures of some records; those that customers ended themselves, or nobody took, are no one's solution."""
    ended = [one for one in records if one.ended and one.claimed and one.outcome not in (LEFT, RETURNED)]
    good = [one for one in ended if one.outcome in solved]
    kept = [one for one in good if key_of(one) not in again]
    stars = [one.rating for one in records if one.rating]
    return Figures(
        what=what,
        number=len(records),
        claimed=Share(count=sum(one.claimed is not None for one in records), of=len(records)),
        waits=_spread(one.claimed - one.triggered for one in records if one.claimed),
        replies=_spread(one.replied - one.triggered for one in records if one.replied),
        solved=Share(count=len(kept), of=len(ended)),
        reopened=Share(count=len(good) - len(kept), of=len(good)),
        stars=sum(stars) / len(stars) if stars else None,
        rated=len(stars),
    )


def average_stars(counts: Sequence[int]) -> float | None:
    """The mean of so many one-star ratings, two-star ones, and so on; None of none."""
    return sum(stars * count for stars, count in enumerate(counts, 1)) / sum(counts) if sum(counts) else None


def find_reopened(records: Iterable[EscalationRecord], later: Iterable[EscalationRecord]) -> frozenset[tuple[str, int]]:
    """Those whose customer needed people again within 7 days of their end."""
    began: defaultdict[str, list[datetime]] = defaultdict(list)
    for record in later:
        began[record.customer].append(record.triggered)
    return frozenset(
        key_of(one)
        for one in records
        if one.ended and any(one.ended <= at <= one.ended + REOPENED_WITHIN for at in began[one.customer])
    )


def key_of(record: EscalationRecord) -> tuple[str, int]:
    """What tells a record from all others."""
    return record.conversation, record.seq


def only_of(records: Iterable[EscalationRecord], agent: AgentId) -> list[EscalationRecord]:
    """Those that this agent had."""
    return [record for record in records if record.agent == agent]


def _by(
    records: Sequence[EscalationRecord],
    name: Callable[[EscalationRecord], str],
    figures: Callable[[str, Sequence[EscalationRecord]], Figures],
) -> list[Figures]:
    groups: defaultdict[str, list[EscalationRecord]] = defaultdict(list)
    for record in records:
        groups[name(record)].append(record)
    return sorted((figures(*group) for group in groups.items()), key=lambda one: (-one.number, one.what))


def _spread(spans: Iterable[timedelta]) -> tuple[float, float] | None:
    seconds = sorted(span.total_seconds() for span in spans)
    return (seconds[len(seconds) // 2], seconds[min(len(seconds) - 1, int(len(seconds) * 0.9))]) if seconds else None


def _count(ratings: Iterable[int | None]) -> list[int]:
    given = list(ratings)
    return [given.count(stars) for stars in range(1, 6)]


def _up(thumbs: Iterable[Thumb]) -> Share:
    given = [thumb.is_up for thumb in thumbs]
    return Share(count=sum(given), of=len(given))
