"""The reply that is being written, on one page: the sentences checked so far, until the log has the finished one."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import partial
from typing import Any

from bot.domain import ConversationId
from bot.webchat.view import Step, show_unfinished

Send = Callable[[str, Any], Awaitable[None]]
"""Send an event with its data to the page."""

THINKING = "thinking"
"""The step that shows as waiting dots; words take its place."""


class Unfinished:
    """Shows what is being written. One event is under way at a time; what changed meanwhile goes with the next."""

    def __init__(self, conversation: ConversationId, assistant: str, send: Send) -> None:
        self._show = partial(show_unfinished, conversation, assistant)
        self._send = send
        self._wanted: tuple[int, str] | None = None
        self._begun: dict[int, datetime] = {}
        self._settled = 0
        self._sending: asyncio.Task[None] | None = None
        self.unwatch: Callable[[], None] = lambda: None

    @property
    def is_shown(self) -> bool:
        """Whether the page shows a reply that is not finished."""
        return bool(self._begun)

    def settle(self, answers: int) -> None:
        """The log has the reply to this message and to all before it: nothing that is written of them is shown any more."""
        self._settled = max(self._settled, answers)
        if self._wanted and self._wanted[0] <= self._settled:
            self._wanted = None

    def hear(self, answers: int, text: str) -> None:
        """The reply to message `answers` reads so now."""
        if answers <= self._settled or not text:
            return
        self._wanted = answers, text
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._send_wanted())

    async def remove(self) -> None:
        """Take off the page what is settled; call it after the finished reply was sent."""
        while self._sending and not self._sending.done():
            await asyncio.wait({self._sending})
        for answers in [answers for answers in self._begun if answers <= self._settled]:
            step = self._show(answers, "", self._begun.pop(answers))
            await self._send("delete_message", {"id": step["id"]})

    def stop(self) -> None:
        """The page is gone or begins anew."""
        self.unwatch()
        self._wanted = None
        if self._sending:
            self._sending.cancel()

    async def _send_wanted(self) -> None:
        while self._wanted:
            (answers, text), self._wanted = self._wanted, None
            if not self._begun:
                await self._send("delete_message", {"id": THINKING})
            step: Step = self._show(answers, text, self._begun.setdefault(answers, datetime.now(UTC)))
            await self._send("new_message", step)  # the page takes a step that it has already as its new state
