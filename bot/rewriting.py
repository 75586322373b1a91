"""Rewriting: a model says a follow-up ("and for business customers?") as a question of its own, before the search."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from bot.accounts import Account
from bot.billing import Billing, Tab, hear_out
from bot.domain import WritingRecord
from bot.errors import PromptInvalid, ProviderFailed
from bot.follow_up import accept_rewriting
from bot.llm.prices import Prices
from bot.llm.stream import LLM, Attempt, Line, Request
from bot.llm.vendors import turn_limits
from bot.prompts.loader import Prompts
from bot.question import Question
from bot.settings import Settings
from knowledge.document import Found

logger = logging.getLogger(__name__)

REWRITE_SECONDS = 1.2
"""Longest wait for a rewriting: the first word of the reply waits for it. Without one the search stands as it is."""
MOST_TOKENS = 80
_NOTHING = Found(passages=(), answerability=0.0, version="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """What came of it: the question to search for instead, if there is one, and what it took; for the trace."""

    question: Question | None = None
    record: WritingRecord | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewriter:
    """Asks one provider, once and within its own short limit; whatever goes wrong, the turn goes on without it."""

    llm: LLM
    prompts: Prompts
    prices: Prices
    settings: Settings
    billing: Billing

    async def rewrite(self, question: Question, account: Account) -> Rewritten:
        """The question as it would stand alone; none where the model says nothing new or more than was said."""
        try:
            prompt = self.prompts.render("rewrite", {"said": question.context or question.history})
        except PromptInvalid as invalid:
            logger.error("conversation %s: a follow-up is not rewritten: %s", account.conversation, invalid)
            return Rewritten(note=f"not rewritten: {invalid}")
        request = _request(prompt.text, question.text)
        tab = Tab(account, self.llm, self.prices)
        began = asyncio.get_running_loop().time()
        said, attempts = await self._ask(request, tab, began + REWRITE_SECONDS)
        text = accept_rewriting(said, question)
        record = WritingRecord(
            usage=tuple(tab.usage),
            attempts=tuple(map(_as_mapping, attempts)),
            prompts={prompt.name: prompt.hash},
            took_ms=round((asyncio.get_running_loop().time() - began) * 1e3, 1),
        )
        if text is None:
            return Rewritten(record=record, note=f"not rewritten: {'ignored ' + repr(said) if said else 'nobody did'}")
        return Rewritten(question=replace(question, text=text, context=()), record=record, note=text)

    async def _ask(self, request: Request, tab: Tab, deadline: float) -> tuple[str, tuple[Attempt, ...]]:
        """What the model says, and what failed; nothing where the customer's tokens of the day are used up."""
        try:
            if not await self.billing.allows(tab, request):
                return "", ()
            said, finished = await hear_out(self.llm, request, turn_limits(self.settings, deadline), tab)
            return said, finished.attempts if finished else ()
        except ProviderFailed as failure:
            tab.fail(failure.attempts)
            logger.warning("a follow-up was not rewritten: %s", failure)
            return "", failure.attempts
        finally:
            self.billing.settle(tab)


def join_records(first: WritingRecord | None, then: WritingRecord | None) -> WritingRecord | None:
    """The record of a whole turn: who rewrote the question, and after it who wrote the reply."""
    if first is None or then is None:
        return first or then
    return replace(
        then,
        usage=first.usage + then.usage,
        attempts=first.attempts + then.attempts,
        prompts={**first.prompts, **then.prompts},
    )


def _request(prompt: str, question: str) -> Request:
    return Request(
        lines=(Line(role="system", text=prompt), Line(role="customer", text=question)),
        question=question,
        found=_NOTHING,
        max_tokens=MOST_TOKENS,
        temperature=0.0,
        optional=True,
    )


def _as_mapping(attempt: Attempt) -> Mapping[str, Any]:
    return asdict(attempt)
