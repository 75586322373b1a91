"""Billing: what a turn may take before a model is asked, and what it took afterwards. It never fails a turn."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime

from bot.accounts import DEVELOPERS, Account, Accounts, Bill
from bot.domain import Usage
from bot.errors import FrontdeskError
from bot.llm.prices import Prices
from bot.llm.stream import LLM, Attempt, Began, Event, Finished, Limits, Request, Text
from bot.llm.tokens import estimate_most, estimate_request, estimate_tokens

logger = logging.getLogger(__name__)

Tokens = tuple[int | None, int | None]
"""Of the prompt and of the completion."""
Times = tuple[float | None, float | None]
"""Milliseconds to the first word, and in all."""


class Tab:
    """What one turn takes. A call that nobody finished, because it was stopped or cut short, is put down as an estimate."""

    def __init__(self, account: Account, llm: LLM, prices: Prices) -> None:
        self.account = account
        self.day = datetime.now(UTC).date()
        self.usage: list[Usage] = []
        self.lost: list[Usage] = []
        """What providers took that failed."""
        self.reserved = 0
        self.refused = False
        self._llm = llm
        self._prices = prices
        self._under_way: Request | None = None
        self._call: Began | None = None
        self._asked_at = 0.0
        self._first_at: float | None = None
        self._heard: list[str] = []

    def begin(self, request: Request) -> None:
        """A model is asked."""
        self.break_off()
        self._under_way = request
        self.began(Began(provider=self._llm.name, model=self._llm.model))

    def began(self, call: Began) -> None:
        """Of a model that is several, this one is asked now; what the one before it wrote is among its `attempts`."""
        self._call = call
        self._asked_at, self._first_at = time.perf_counter(), None
        self._heard.clear()

    def heard(self, text: str) -> None:
        """Text came."""
        self._first_at = self._first_at or time.perf_counter()
        self._heard.append(text)

    def finish(self, finished: Finished) -> None:
        """The call came to a good end."""
        first, took = self._times()
        times = (finished.first_token_ms or first, finished.took_ms or took)
        self._end()
        tokens = (finished.prompt_tokens, finished.completion_tokens)
        usage = self._priced(finished.provider, finished.model, tokens, times)
        self.usage.append(replace(usage, estimated=finished.estimated))
        self._lose(finished.attempts)

    def fail(self, attempts: Iterable[Attempt]) -> None:
        """The call failed; its attempts say what was paid all the same."""
        self._end()
        self._lose(attempts)

    def break_off(self) -> None:
        """Nobody listens to the call under way any more, if there is one: it is put down as far as it came."""
        if self._under_way is not None and self._call is not None:
            tokens = (estimate_request(self._under_way), estimate_tokens("".join(self._heard)))
            self.usage.append(self._priced(self._call.provider, self._call.model, tokens, self._times()))
            self._lose(self._call.attempts)
        self._end()

    def bill(self) -> Bill:
        """All of it; calls that took nothing are left out."""
        taken = tuple(one for one in (*self.usage, *self.lost) if one.prompt_tokens or one.completion_tokens)
        return Bill(account=self.account, day=self.day, usage=taken, reserved=self.reserved)

    def _end(self) -> None:
        self._under_way = None
        self._heard.clear()

    def _times(self) -> Times:
        """Milliseconds of the call under way: to its first word, and until now."""
        first, now = self._first_at, time.perf_counter()
        return None if first is None else round((first - self._asked_at) * 1e3, 2), round((now - self._asked_at) * 1e3, 2)

    def _lose(self, attempts: Iterable[Attempt]) -> None:
        for one in attempts:
            tokens = (one.prompt_tokens, one.completion_tokens)
            self.lost.append(self._priced(one.provider, one.model, tokens, (one.first_token_ms, one.took_ms)))

    def _priced(self, provider: str, model: str, tokens: Tokens, times: Times) -> Usage:
        """An estimate, as far as nothing else is said of it."""
        return Usage(
            provider=provider,
            model=model,
            prompt_tokens=tokens[0],
            completion_tokens=tokens[1],
            estimated=True,
            cost=self._prices.cost(provider, model, *tokens),
            first_token_ms=times[0],
            took_ms=times[1],
        )


async def hear_out(llm: LLM, request: Request, limits: Limits, tab: Tab) -> tuple[str, Finished | None]:
    """All that a model says to one request, put on the tab, and how it finished; raises ProviderFailed."""
    said: list[str] = []
    async with aclosing(llm.stream(request, limits)) as events:
        async for event in events:
            match event:
                case Began():
                    tab.began(event)
                case Text(text=text):
                    tab.heard(text)
                    said.append(text)
                case Finished():
                    tab.finish(event)
                    return "".join(said).strip(), event
    return "", None


class Billing:
    """Reserves before each call where a customer's day has a cap, and keeps the bill after the turn, off its path."""

    def __init__(self, accounts: Accounts, tokens_per_day: int | None) -> None:
        self._accounts = accounts
        self._most = tokens_per_day
        self._recording: set[asyncio.Task[None]] = set()

    async def allows(self, tab: Tab, request: Request) -> bool:
        """Whether the model may be asked; then the tab has what this call may take. Without the accounts it may not."""
        if not await self.sets_aside(tab, request):
            return False
        tab.begin(request)
        return True

    async def sets_aside(self, tab: Tab, request: Request) -> bool:
        """Whether there is room for what a call may take, which then is the tab's."""
        if self._most is not None and tab.account.customer != DEVELOPERS:
            tokens = estimate_most(request)
            tab.refused = not await self._reserve(tab, tokens, self._most)
            if tab.refused:
                return False
            tab.reserved += tokens
        return True

    def settle(self, tab: Tab) -> None:
        """The turn is over, however it ended: its bill is kept, and nobody waits for that."""
        tab.break_off()
        bill = tab.bill()
        if bill.usage or bill.reserved:
            task = asyncio.create_task(self._record(bill))
            self._recording.add(task)
            task.add_done_callback(self._recording.discard)

    async def close(self) -> None:
        """Wait for the last bills."""
        await asyncio.gather(*self._recording)

    async def _reserve(self, tab: Tab, tokens: int, most: int) -> bool:
        try:
            return await self._accounts.reserve(tab.account.customer, tab.day, tokens, most)
        except FrontdeskError:
            logger.exception("conversation %s: nothing could be reserved", tab.account.conversation)
            return False

    async def _record(self, bill: Bill) -> None:
        try:
            await self._accounts.record(bill)
        except FrontdeskError:
            account, tokens = bill.account, bill.tokens
            logger.exception("conversation %s: %d tokens were not put down", account.conversation, tokens)


class Metered:
    """An LLM that is asked only after room was made for what it may take.

    So is each call of a loop, and whoever takes over from one that took tokens and died. Where there is no room, the stream
    ends without a word, and the tab says `refused`.
    """

    def __init__(self, llm: LLM, billing: Billing, tab: Tab) -> None:
        self.name, self.model = llm.name, llm.model
        self._llm, self._billing, self._tab = llm, billing, tab

    async def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        """See LLM."""
        if not await self._billing.allows(self._tab, request):
            return
        taken = 0
        async with aclosing(self._llm.stream(request, limits)) as events:
            async for event in events:
                if isinstance(event, Began):  # it comes before the provider is asked
                    before, taken = taken, sum(one.prompt_tokens + one.completion_tokens for one in event.attempts)
                    if taken > before and not await self._billing.sets_aside(self._tab, request):
                        return
                yield event

    async def close(self) -> None:
        """The inner model is not this one's to close."""
