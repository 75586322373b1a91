"""What the bot remembers: of the conversation, within a prompt's budget, and of a customer who is signed in."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from bot.about_me import AboutMe, asks_about_me, known_lines, tell_forgotten, tell_known
from bot.domain import CustomerId, Entry, Kind, Speaker
from bot.errors import LogUnavailable
from bot.learning import learn_from
from bot.llm.stream import Line
from bot.memory import SessionMemory
from bot.personal import mask
from bot.profile import Known, Profiles, has_profile
from bot.recollection import as_lines, recollect
from bot.remembering import Memory
from bot.settings import Settings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """What a turn knows from before: `summary` and `known`, a statement a line, and the recent turns word for word."""

    memory: Memory | None = None
    summary: str = ""
    lines: tuple[Line, ...] = ()
    known: tuple[Known, ...] = field(default=())

    @property
    def facts(self) -> str:
        """All of it that is no turn, for a prompt."""
        return "\n".join([self.summary, *known_lines(self.known)]).strip()


class Mind:
    """Session memory and profiles; what fails is forgotten for this turn, and the chat goes on."""

    def __init__(self, memory: SessionMemory, profiles: Profiles, settings: Settings) -> None:
        self.memory, self._profiles = memory, profiles
        self._budget, self._country = settings.max_conversation_history, settings.country

    async def recall(self, asked: Entry, earlier: Sequence[Entry], customer: CustomerId) -> Recalled:
        """What is known before this message."""
        memory = await self.memory.recall(asked, self._masked(earlier))
        recollection = recollect(memory, asked, self._budget)
        known = tuple(await self._known(customer))
        return Recalled(memory=memory, summary=recollection.summary, lines=as_lines(recollection), known=known)

    async def remember(self, recalled: Recalled, asked: Entry, reply: Entry, customer: CustomerId) -> None:
        """Keep what this turn adds."""
        if recalled.memory:
            await self.memory.remember(recalled.memory, self._masked([asked, reply]))
        if has_profile(customer) and (learnt := learn_from(asked, reply, self._country)):
            try:
                await self._profiles.learn(customer, learnt)
            except LogUnavailable:
                logger.warning("conversation %s: nothing is learnt of its customer", asked.conversation, exc_info=True)

    async def about(self, text: str, customer: CustomerId) -> str:
        """The reply to "what do you know about me?" and "forget me"; "" to any other message. Raises LogUnavailable."""
        wanted = asks_about_me(text)
        if wanted is AboutMe.FORGET:
            return tell_forgotten(customer, await self._profiles.forget(customer) if has_profile(customer) else 0)
        return tell_known(customer, await self._known(customer)) if wanted else ""

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

    def _mask(self, entry: Entry) -> Entry:
        if entry.speaker is not Speaker.CUSTOMER or entry.kind is not Kind.MESSAGE:
            return entry
        return replace(entry, text=mask(entry.text, self._country).text)
