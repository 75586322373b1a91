"""Everything that the desk of one process needs, started and stopped together."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from bot.desk.behalf import Behalf
from bot.desk.board import Board
from bot.desk.canned import CannedReplies
from bot.desk.cases import Case
from bot.desk.desk import Desk
from bot.desk.offering import is_live
from bot.desk.policy import Policy
from bot.desk.suggest import Suggester
from bot.desk.watch import Watch
from bot.desk.webhooks import Webhooks
from bot.domain import AgentId, ConversationId, Holder
from bot.errors import DeskRefused, LogUnavailable
from bot.live import Live
from bot.log import ConversationLog
from bot.records import Recorded, Wanted
from bot.roster import Roster, State
from bot.settings import Settings
from bot.staff import Agent, Staff

BEAT_SECONDS = 2.0
MOST_LIVE = 30
"""Conversations of the assistant that are listed."""

logger = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Room:
    """The desk's parts, and whose pages are open in this process."""

    settings: Settings
    log: ConversationLog
    live: Live
    staff: Staff
    roster: Roster
    policy: Policy
    board: Board
    desk: Desk
    watch: Watch
    webhooks: Webhooks
    suggester: Suggester
    canned: CannedReplies
    behalf: Behalf
    show_typing: Callable[[ConversationId, str], None]
    is_stopping: bool = False
    rows: dict[ConversationId, tuple[int, Any]] = field(default_factory=dict)
    """What a page shows of each case, and up to which entry; the page's own."""
    _here: Counter[AgentId] = field(default_factory=Counter)
    _beating: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to look after the queue."""
        self.watch.start()
        self.webhooks.start()
        self._beating = asyncio.create_task(self._beat())

    async def stop(self) -> None:
        """Let go of every page and stop looking."""
        self.is_stopping = True
        self.board.tell()
        if self._beating:
            self._beating.cancel()
            await asyncio.wait({self._beating})
        await self.watch.stop()
        await self.webhooks.stop()

    def is_live(self, case: Case) -> bool:
        """Whether the assistant has this conversation and it goes on."""
        return is_live(case, self.policy, self.watch.moment())

    async def live_cases(self) -> Sequence[Case]:
        """The conversations that the assistant has and that go on, the latest first. Raises LogUnavailable."""
        if not (self.policy.live_minutes and isinstance(self.log, Recorded)):
            return ()
        found = await self.log.records.search(Wanted(holder=Holder.BOT, limit=MOST_LIVE))
        since = self.watch.moment() - timedelta(minutes=self.policy.live_minutes)
        recent = [conversation.id for conversation in found if conversation.updated > since]
        cases = [case for id in recent if (case := await self.board.case(id))]
        return [case for case in cases if self.is_live(case)]

    async def sign_out(self, agent: Agent) -> None:
        """The agent goes: their chats go to the front of the queue now. Raises LogUnavailable."""
        await self.watch.look()
        for case in self.board.of(agent.id):
            with suppress(DeskRefused):  # somebody else, or the customer, was quicker
                await self.desk.pass_on(agent, case.id, "")
        await self.roster.set_state(agent.id, State.AWAY)
        self.watch.wake()

    @contextmanager
    def page_of(self, agent: AgentId) -> Iterator[None]:
        """While it is open, the agent is here."""
        self._here[agent] += 1
        try:
            yield
        finally:
            self._here[agent] -= 1
            if not self._here[agent]:
                del self._here[agent]

    async def come_on(self, agent: Agent) -> None:
        """The agent opens a page: who has no state yet is available. Raises LogUnavailable."""
        known = self.watch.presences.get(agent.id)
        await self.roster.set_state(agent.id, known.state if known else State.AVAILABLE)
        await self.roster.beat([agent.id])
        self.watch.wake()

    async def _beat(self) -> None:
        while True:
            if here := list(self._here):
                try:
                    await self.roster.beat(here)
                except LogUnavailable as failure:
                    logger.warning("signs of life of %d agents are not kept: %s", len(here), failure)
            await asyncio.sleep(BEAT_SECONDS)
