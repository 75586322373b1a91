"""Turns in order among processes: who holds a conversation answers all that waits in it, the longest waiting first."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from bot.bus import LEASE_SECONDS, Bus, hold
from bot.domain import ConversationId, Entry
from bot.errors import LogUnavailable
from bot.log import ConversationLog

logger = logging.getLogger(__name__)


class InOrder:
    """Gives each message its time. `stale` is told of a conversation that another process has served in between."""

    def __init__(
        self,
        bus: Bus,
        log: ConversationLog,
        stale: Callable[[ConversationId], None],
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self._bus, self._log, self._stale, self._lease_seconds = bus, log, stale, lease_seconds

    @asynccontextmanager
    async def upto(self, asked: Entry) -> AsyncIterator[Sequence[Entry]]:
        """What is to be answered now, in order, `asked` at the end; while the block runs no other process answers it.

        Empty when another process has answered it already, or when the bot no longer holds the conversation.
        """
        async with hold(self._bus, asked.conversation, self._lease_seconds) as lease:
            if not lease.was_ours:
                self._stale(asked.conversation)
            try:
                waiting = await self._log.unanswered(asked.conversation)
            except LogUnavailable as failure:
                logger.warning("conversation %s: what waits is not known: %s", asked.conversation, failure)
                waiting = [asked]
            yield [entry for entry in waiting if entry.seq <= asked.seq]
