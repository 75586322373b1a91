"""Between processes: each tells the others of its entries, and they take turns in the conversations they share."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from bot.bus import Wake
from bot.domain import ConversationId, Entry
from bot.ending import end
from bot.sql.log import SqlLog
from bot.state import State
from bot.turns import InOrder


class Between:
    """Word between the processes that serve one log, over a Redis that they share."""

    def __init__(self, state: State, log: SqlLog) -> None:
        self._bus, self._log = state.bus, log
        self._telling: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Task[None] | None = None
        self.listeners: list[Callable[[Wake], None]] = []
        """Told of each word, also of this process's own."""
        self.typing_listeners: list[Callable[[ConversationId, str], None]] = []
        """Told of each person of the staff who types, in any process."""
        log.listeners.append(self._tell)

    def in_order(self, stale: Callable[[ConversationId], None]) -> InOrder:
        """The turns of this process among those of the others; `stale` hears of conversations that another has served."""
        return InOrder(self._bus, self._log, stale)

    def start(self) -> None:
        """Listen to the others."""
        self._listening = asyncio.create_task(self._listen())

    async def close(self) -> None:
        """Say and hear nothing more."""
        await end(*self._telling, self._listening)

    def tell_typing(self, conversation: ConversationId, name: str) -> None:
        """Somebody of the staff types a message to the customer, whose page may be served by any process."""
        self._send(self._bus.wake(conversation, 0, typing=name))

    def _tell(self, entry: Entry) -> None:
        self._send(self._bus.wake(entry.conversation, entry.seq))

    def _send(self, sending: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(sending)
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def _listen(self) -> None:
        async for word in self._bus.listen():
            if word.typing and word.conversation:
                for hear_typing in self.typing_listeners:
                    hear_typing(word.conversation, word.typing)
                continue
            self._log.hear(word.conversation, word.seq)
            for listener in self.listeners:
                listener(word)
