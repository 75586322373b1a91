"""Everything that the desk of one process needs, started and stopped together."""

import asyncio
import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bot.desk.board import Board
from bot.desk.canned import CannedReplies
from bot.desk.desk import Desk
from bot.desk.policy import Policy
from bot.desk.suggest import Suggester
from bot.desk.watch import Watch
from bot.desk.webhooks import Webhooks
from bot.domain import AgentId
from bot.errors import LogUnavailable
from bot.live import Live
from bot.log import ConversationLog
from bot.roster import Roster, State
from bot.settings import Settings
from bot.staff import Agent, Staff
from bot.tickets import Tickets

BEAT_SECONDS = 2.0

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
    tickets: Tickets
    is_stopping: bool = False
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
