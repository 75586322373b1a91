"""One reply's way through the members of a failover: what was tried, what was heard, how much time is left."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from bot.errors import AllProvidersFailed, ContentFiltered, ProviderFailed
from bot.llm.breaker import Permit
from bot.llm.members import Member
from bot.llm.stream import Attempt, Began, Event, Finished, Limits, Line, Replaced, Request
from bot.llm.tokens import estimate_request, estimate_tokens
from bot.prompts.loader import Prompts

logger = logging.getLogger(__name__)

RESERVE_SECONDS = 1.0
"""Kept of the turn's time for each provider that has not been asked yet."""
LEAST_SECONDS = 0.3
"""A provider with less time than this for its first word is not asked any more."""


class Relay:
    """The state of one reply; the failover asks it who may go on, with which request and within which limits."""

    def __init__(self, request: Request, limits: Limits, patience_seconds: float) -> None:
        self.attempts: list[Attempt] = []
        self._failures: list[ProviderFailed] = []
        self._request = request
        self._limits = limits
        self._patience = patience_seconds
        self._now = asyncio.get_running_loop().time
        self._began = self._quiet_since = self._attempt_began = self._now()
        self._first_at: float | None = None
        self._saying: list[str] = []
        self._broke_off: str | None = None
        self._told: dict[str, str] = {}
        self._filtered: ContentFiltered | None = None
        self._retried: set[Member] = set()

    def permit(self, member: Member, left: Sequence[Member]) -> Permit | None:
        """Leave to ask this member now; None where it is left out."""
        if self._filtered and not member.quotes:
            return None
        if left and not member.quotes and self.limits_now(left).first_token_seconds < LEAST_SECONDS:
            self._leave_out(member, "no time left")
            return None
        permit = member.breaker.enter()
        if permit is None:
            self._leave_out(member, "left out")
        return permit

    def begin(self, member: Member) -> Began:
        """A member is asked."""
        self._attempt_began = self._now()
        self._first_at = None
        self._saying = []
        return Began(provider=member.llm.name, model=member.llm.model, attempts=tuple(self.attempts))

    def request_now(self, prompts: Prompts) -> Request:
        """The request, with what the customer has read of it if a member broke off. Tool results stay as they were."""
        shown = self._request.shown() if self._broke_off else ""
        if not shown:
            return self._request
        told = prompts.render("already_read", {"shown": shown})
        self._told = {told.name: told.hash}
        return replace(self._request, lines=(*self._request.lines, Line(role="system", text=told.text)))

    def limits_now(self, left: Sequence[Member]) -> Limits:
        """The limits of the member that is next, so that those after it have time as well."""
        now, limits = self._now(), self._limits
        reserve = min(RESERVE_SECONDS * len(left), max(0.0, limits.deadline - now) * len(left) / (len(left) + 1))
        patience = self._quiet_since + self._patience - now if left else limits.first_token_seconds
        return replace(
            limits,
            first_token_seconds=max(0.0, min(limits.first_token_seconds, patience, limits.deadline - reserve - now)),
            deadline=limits.deadline - reserve,
        )

    def takes_over(self, member: Member) -> Replaced | None:
        """The mark before the first event of a member that replaces one that had said something."""
        if self._broke_off is None:
            return None
        replaced = Replaced(failed=self._broke_off, provider=member.llm.name, prompts=self._told)
        self._broke_off = None
        logger.warning("%s takes over the reply from %s", replaced.provider, replaced.failed)
        return replaced

    def heard(self, text: str = "") -> None:
        """Text came, or a tool request."""
        self._quiet_since = self._now()
        self._first_at = self._first_at or self._quiet_since
        self._saying.append(text)

    def signed(self, event: Event) -> Event:
        """The event, the last one with how long its provider took and the attempts that led to it."""
        if not isinstance(event, Finished):
            return event
        first, took = self._times()
        return replace(event, attempts=tuple(self.attempts), first_token_ms=first, took_ms=took)

    def failed(self, member: Member, failure: ProviderFailed) -> bool:
        """Note a failure; True when the same member should be asked once more."""
        said, began = "".join(self._saying), self._attempt_began
        member.note(failure)
        self._failures.append(failure)
        self._record(member, failure.kind, failure.detail, said)
        logger.warning(
            "%s after %.2f s and %d characters: %s", failure, self._now() - began, len(said), failure.detail or "no detail"
        )
        if isinstance(failure, ContentFiltered):
            self._filtered = failure
        if said:
            self._broke_off = member.llm.name
        helps = failure.again and not said and not self._request.optional
        once = helps and member not in self._retried and member.breaker.state == "closed"
        self._retried.add(member)
        return once

    def verdict(self) -> ProviderFailed:
        """What to raise when nobody answered."""
        failure = self._filtered or AllProvidersFailed(tuple(self._failures))
        failure.attempts = tuple(self.attempts)
        level = logging.WARNING if self._request.optional else logging.ERROR
        logger.log(level, "no provider answered: %s", "; ".join(f"{a.provider} {a.error}" for a in self.attempts))
        return failure

    def _record(self, member: Member, error: str, detail: str, said: str) -> None:
        first, took = self._times()
        self.attempts.append(
            Attempt(
                provider=member.llm.name,
                model=member.llm.model,
                error=error,
                detail=detail,
                began_ms=round((self._attempt_began - self._began) * 1e3, 2),
                first_token_ms=first,
                took_ms=took,
                prompt_tokens=estimate_request(self._request) if said else 0,
                completion_tokens=estimate_tokens(said),
            )
        )

    def _times(self) -> tuple[float | None, float]:
        """Milliseconds of the attempt under way: to its first word, and until now."""
        began, first = self._attempt_began, self._first_at
        return round((first - began) * 1e3, 2) if first else None, round((self._now() - began) * 1e3, 2)

    def _leave_out(self, member: Member, error: str) -> None:
        self.attempts.append(Attempt(provider=member.llm.name, model=member.llm.model, error=error))
