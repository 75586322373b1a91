"""The running summary: a model's words for what fell out of the recent turns, made after a turn and in nobody's way."""

import asyncio
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.accounts import Account
from bot.billing import Billing, Tab, hear_out
from bot.domain import Entry, Kind, Speaker
from bot.ending import end
from bot.errors import LogUnavailable, PromptInvalid, ProviderFailed
from bot.llm.prices import Prices
from bot.llm.stream import LLM, Line, Request
from bot.llm.vendors import turn_limits
from bot.log import ConversationLog
from bot.memory import SessionMemory
from bot.prompts.loader import Prompts
from bot.remembering import Memory
from bot.settings import Settings
from knowledge.document import Found

logger = logging.getLogger(__name__)

EVERY = 8
"""Entries that must have fallen out since the last summary: four turns, so that one in four costs a second call."""
LOOKS_BACK = 60
"""Entries that a summary takes in at most: the latest."""
AT_ONCE = 4
"""Summaries that one process makes at a time; who comes then has one after a later turn."""
SUMMARY_SECONDS = 10.0
MOST_TOKENS = 200
MOST_CHARS = 800
LINE_CHARS = 400
QUOTES = "extractive"
_END = re.compile(r"[.!?](?=\s)")
_ADDRESS = re.compile(r"(?:https?://|www\.)\S{1,500}", re.IGNORECASE)
_NOTHING = Found(passages=(), answerability=0.0, version="")

Mask = Callable[[Entry], Entry]
"""An entry as it may leave the house: without personal data."""


class Summariser(Protocol):
    """Puts what was said into a few sentences."""

    async def summarise(self, before: str, said: Sequence[Mapping[str, str]], account: Account) -> str:
        """The new summary, given the old one and who said what since; raises ProviderFailed or PromptInvalid."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummariser:
    """Asks one provider, once, on the customer's account; "" where the customer's tokens of the day are used up."""

    llm: LLM
    prompts: Prompts
    prices: Prices
    settings: Settings
    billing: Billing

    async def summarise(self, before: str, said: Sequence[Mapping[str, str]], account: Account) -> str:
        """See Summariser."""
        prompt = self.prompts.render("summary", {"before": before, "said": said})
        request = _request(prompt.text)
        tab = Tab(account, self.llm, self.prices)
        try:
            return await self._ask(request, tab) if await self.billing.allows(tab, request) else ""
        except ProviderFailed as failure:
            tab.fail(failure.attempts)
            raise
        finally:
            self.billing.settle(tab)

    async def _ask(self, request: Request, tab: Tab) -> str:
        deadline = asyncio.get_running_loop().time() + SUMMARY_SECONDS
        said, finished = await hear_out(self.llm, request, turn_limits(self.settings, deadline), tab)
        return "" if finished is None or finished.provider == QUOTES else shorten(said)


class Summaries:
    """Makes summaries in the background, one at a time per conversation; where one fails, the extractive one stays."""

    def __init__(self, summariser: Summariser, memory: SessionMemory, log: ConversationLog, mask: Mask) -> None:
        self._summariser, self._memory, self._log, self._mask = summariser, memory, log, mask
        self._making: dict[str, asyncio.Task[None]] = {}

    def note(self, memory: Memory, account: Account) -> None:
        """A turn is over, and this is what is remembered after it."""
        id = memory.conversation
        if memory.fell_out - memory.told_to < EVERY or id in self._making or len(self._making) >= AT_ONCE:
            return
        self._making[id] = making = asyncio.create_task(self._make(memory, account))
        making.add_done_callback(lambda _: self._making.pop(id, None))

    async def settle(self) -> None:
        """Wait for those under way: for tests."""
        await asyncio.gather(*self._making.values(), return_exceptions=True)

    async def close(self) -> None:
        """Give up those under way; the next turn of their conversation begins them again."""
        await end(*self._making.values())

    async def _make(self, memory: Memory, account: Account) -> None:
        since = max(memory.told_to, memory.fell_out - LOOKS_BACK)
        try:
            entries = await self._log.after(memory.conversation, since, memory.fell_out - since)
            said = [_said(self._mask(entry)) for entry in entries if _is_told(entry)]
            told = await self._summariser.summarise(memory.told, said, account) if said else ""
        except PromptInvalid as invalid:
            logger.error("conversation %s: its summary stays extractive: %s", memory.conversation, invalid)
        except (ProviderFailed, LogUnavailable) as failure:
            logger.info("conversation %s: its summary stays extractive: %s", memory.conversation, failure)
        else:
            if told:
                await self._memory.tell(memory.conversation, told, memory.fell_out)


def shorten(text: str) -> str:
    """On one line, without addresses, cut after a sentence."""
    text = " ".join(_ADDRESS.sub("", text).split())
    if len(text) <= MOST_CHARS:
        return text
    ends = [found.end() for found in _END.finditer(text[:MOST_CHARS])]
    return text[: ends[-1]] if ends else f"{text[: MOST_CHARS - 1]}…"


def _is_told(entry: Entry) -> bool:
    return entry.kind is Kind.MESSAGE and bool(entry.text)


def _said(entry: Entry) -> dict[str, str]:
    by = {Speaker.CUSTOMER: "customer", Speaker.AGENT: "colleague"}.get(entry.speaker, "assistant")
    text = " ".join(entry.text.split())
    return {"by": by, "text": text if len(text) <= LINE_CHARS else f"{text[: LINE_CHARS - 1]}…"}


def _request(prompt: str) -> Request:
    lines = (Line(role="system", text=prompt), Line(role="customer", text="Write the notes."))
    return Request(lines=lines, question="", found=_NOTHING, max_tokens=MOST_TOKENS, temperature=0.0, optional=True)
