"""Between processes: each tells the others of its entries, and they take turns in the conversations they share."""

import asyncio
from collections.abc import Callable

from bot.domain import ConversationId, Entry
from bot.sql.log import SqlLog
from bot.state import State
from bot.turns import InOrder


class Between:
    """Word between the processes that serve one log, over a Redis that they share."""

    def __init__(self, state: State, log: SqlLog) -> None:
        self._bus, self._log = state.bus, log
        self._telling: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Task[None] | None = None
        log.on_entry = self._tell

    def in_order(self, stale: Callable[[ConversationId], None]) -> InOrder:
        """The turns of this process among those of the others; `stale` hears of conversations that another has served."""
        return InOrder(self._bus, self._log, stale)

    def start(self) -> None:
        """Listen to the others."""
        self._listening = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """Say and hear nothing more."""
        tasks = [*self._telling, *([self._listening] if self._listening else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _tell(self, entry: Entry) -> None:
        task = asyncio.get_running_loop().create_task(self._bus.wake(entry.conversation, entry.seq))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _listen(self) -> None:
        async for word in self._bus.listen():
            self._log.hear(word.conversation, word.seq)
