"""What the bot remembers: of the conversation, within a prompt's budget, and of a customer who is signed in."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.about_me import (
    AboutMe,
    asks_about_me,
    known_lines,
    state_given,
    state_known,
    tell_forgotten,
    tell_given,
    tell_known,
)
from bot.accounts import Account
from bot.domain import CustomerId, Entry, Kind, Speaker
from bot.errors import LogUnavailable
from bot.learning import learn_from
from bot.llm.stream import Line
from bot.llm.tokens import estimate_tokens
from bot.log import ConversationLog
from bot.memory import SessionMemory
from bot.personal import mask
from bot.profile import Known, Profiles, has_profile
from bot.recollection import as_lines, recollect
from bot.remembering import Memory
from bot.settings import Settings
from bot.summary import Summaries, Summariser

logger = logging.getLogger(__name__)

PROFILE_SHARE = 0.25
"""Share of the budget that what is known of a customer from other conversations may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What a turn knows from before: `summary` and `known`, a statement a line, and the recent turns word for word.

    `stated` are sentences that a reply may repeat to the customer: what they themselves gave, or a tool established.
    """

    memory: Memory | None = None
    summary: str = ""
    lines: tuple[Line, ...] = ()
    known: tuple[Known, ...] = ()
    stated: tuple[str, ...] = ()

    @property
    def facts(self) -> str:
        """All of it that is no turn, for a prompt."""
        return "\n".join([*known_lines(self.known), self.summary]).strip()


class Mind:
    """Session memory and profiles; what fails is forgotten for this turn, and the chat goes on."""

    def __init__(
        self,
        memory: SessionMemory,
        profiles: Profiles,
        settings: Settings,
        log: ConversationLog | None = None,
        summariser: Summariser | None = None,
    ) -> None:
        self.memory, self._profiles = memory, profiles
        self._budget, self._country = settings.max_conversation_history, settings.country
        self._summaries = Summaries(summariser, memory, log, self._mask_any) if summariser and log else None

    async def recall(self, asked: Entry, earlier: Sequence[Entry], customer: CustomerId) -> Recalled:
        """What is known before this message."""
        memory = await self.memory.recall(asked, self._masked(earlier))
        known, room = self._fitting(await self._known(customer))
        recollection = recollect(memory, asked, room)
        return Recalled(
            memory=memory,
            summary=recollection.summary,
            lines=as_lines(recollection),
            known=known,
            stated=(*state_given(memory), *state_known(known)),
        )

    async def remember(self, recalled: Recalled, asked: Entry, reply: Entry, customer: CustomerId) -> None:
        """Keep what this turn adds."""
        if recalled.memory:
            after = await self.memory.remember(recalled.memory, self._masked([asked, reply]))
            if self._summaries:
                self._summaries.note(after, Account(customer=customer, conversation=asked.conversation, seq=asked.seq))
        if has_profile(customer) and (learnt := learn_from(asked, reply, self._country)):
            try:
                await self._profiles.learn(customer, learnt)
            except LogUnavailable:
                logger.warning("conversation %s: nothing is learnt of its customer", asked.conversation, exc_info=True)

    async def about(self, text: str, customer: CustomerId, recalled: Recalled) -> str:
        """The reply to "what do you know about me?", "forget me" and "what was my order number?"; "" to any other message.

        Raises LogUnavailable.
        """
        if recalled.memory and (given := tell_given(text, recalled.memory)):
            return given
        wanted = asks_about_me(text)
        if wanted is AboutMe.FORGET:
            return tell_forgotten(customer, await self._profiles.forget(customer) if has_profile(customer) else 0)
        return tell_known(customer, await self._known(customer)) if wanted else ""

    async def close(self) -> None:
        """Give up the summaries under way."""
        if self._summaries:
            await self._summaries.close()

    def _fitting(self, known: Sequence[Known]) -> tuple[tuple[Known, ...], int]:
        """What of the profile a prompt has room for, and what it leaves for the conversation, in tokens."""
        kept: list[Known] = []
        left = int(self._budget * PROFILE_SHARE)
        for one, line in zip(known, known_lines(known), strict=True):
            tokens = estimate_tokens(line) + 1
            if tokens > left:
                break
            left -= tokens
            kept.append(one)
        return tuple(kept), self._budget - (int(self._budget * PROFILE_SHARE) - left)

    async def _known(self, customer: CustomerId) -> Sequence[Known]:
        if not has_profile(customer):
            return ()
        try:
            return await self._profiles.profile(customer)
        except LogUnavailable:
            logger.warning("the profile of a customer cannot be read", exc_info=True)
            return ()

    def _masked(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries as they may be remembered: without personal data in what the customer wrote."""
        return [self._mask(entry) for entry in entries]

    def _mask_any(self, entry: Entry) -> Entry:
        return replace(entry, text=mask(entry.text, self._country).text)

    def _mask(self, entry: Entry) -> Entry:
        if entry.speaker is not Speaker.CUSTOMER or entry.kind is not Kind.MESSAGE:
            return entry
        return replace(entry, text=mask(entry.text, self._country).text)
