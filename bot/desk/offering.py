"""Who is helped first, and by whom: pure functions on cases and agents."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from bot.desk.cases import Case
from bot.desk.policy import Policy
from bot.domain import Holder
from bot.roster import Offer
from bot.staff import Agent

_LATE = datetime.max.replace(tzinfo=UTC)


def order(waiting: Iterable[Case], policy: Policy) -> list[Case]:
    """The queue: crisis first, then who was promised the front, then by policy, then by waiting time."""

    def key(case: Case) -> tuple[bool, bool, int, datetime, str]:
        rank = policy.rank(case.reason)
        return rank > 0, not case.front, rank, case.since or _LATE, case.id

    return sorted(waiting, key=key)


def team_of(case: Case, policy: Policy) -> str | None:
    """The team that a case was passed on to, or that looks after its intent."""
    return case.team or policy.team_of(case.intent)


def is_live(case: Case, policy: Policy, now: datetime) -> bool:
    """Whether the assistant has this conversation and it goes on, so that agents may read it and take it over."""
    lately = now - timedelta(minutes=policy.live_minutes)
    return case.holder is Holder.BOT and case.updated is not None and case.updated > lately


def fits(agent: Agent, case: Case, policy: Policy) -> bool:
    """Whether the case is one of the agent's: by team and by skill; an agent without either takes everything."""
    team = team_of(case, policy)
    return (not team or not agent.teams or team in agent.teams) and (
        not agent.skills or not case.intent or case.intent in agent.skills
    )


def next_offer(case: Case, before: Offer | None, free: Sequence[Agent], policy: Policy) -> Offer | None:
    """The offer after `before` (None: the first), to the first of `free` who fits and has not had it; None if nobody can.

    Whom it was passed on to comes first. When everyone who fits has had it, it starts again from the first. In a crisis,
    and when nobody who fits is free, anyone is better than nobody.
    """
    same = before is not None and before.queued == case.queued
    tried = (*before.tried, before.agent) if before is not None and same else ()
    wanted = [agent for agent in free if agent.id == case.wanted and agent.id not in tried]
    fitting = [agent for agent in free if fits(agent, case, policy)] or list(free)
    untried = wanted or [agent for agent in fitting if agent.id not in tried]
    if not (untried or fitting):
        return None
    chosen = (untried or fitting)[0]
    kept = tried if untried else ()
    number = before.round + 1 if before is not None else 1
    return Offer(conversation=case.id, queued=case.queued, round=number, agent=chosen.id, tried=kept)
