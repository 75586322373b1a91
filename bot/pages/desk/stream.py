"""What a desk's page is told while it is open: the lists when they change, and each entry of the agent's chats at once."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from typing import Any

from bot.desk.room import Room
from bot.domain import ConversationId, Entry, Speaker
from bot.errors import LogUnavailable
from bot.pages.desk.render import render_board, render_entry
from bot.pages.stopping import is_stopping
from bot.staff import Agent

LOOK_SECONDS = 1.0
PAUSE_SECONDS = 0.1
"""The lists are told at most so often."""
QUIET_SECONDS = 10.0
"""A line is sent at least so often, so that a connection that died is noticed on both sides."""
MOST_HELD = 500
"""Events kept for a page that does not read; beyond them it is hung up on, comes back and reads again."""

Event = tuple[str, dict[str, Any]]


class PageGone(Exception):
    """The page is too slow, or its visit has ended."""


class PageStream:
    """One open page of an agent."""

    def __init__(self, room: Room, agent: Agent, is_welcome: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        self._room, self._agent, self._is_welcome = room, agent, is_welcome
        self._events: asyncio.Queue[Event] = asyncio.Queue(MOST_HELD)
        self._followers: dict[ConversationId, asyncio.Task[None]] = {}
        self._sent: dict[str, dict[str, str]] = {}

    async def lines(self) -> AsyncGenerator[str, None]:
        """The stream, line by line, until the server stops or the visit ends."""
        with self._room.page_of(self._agent.id):
            await self._room.come_on(self._agent)
            looking = asyncio.create_task(self._look())
            try:
                async for line in self._read(looking):
                    yield line
            finally:
                for task in (looking, *self._followers.values()):
                    task.cancel()

    async def _read(self, looking: "asyncio.Task[None]") -> AsyncGenerator[str, None]:
        yield "retry: 1500\n\n"
        quiet = 0.0
        while not (self._room.is_stopping or is_stopping() or looking.done()):
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    name, data = await self._events.get()
            except TimeoutError:
                quiet += LOOK_SECONDS
                if quiet >= QUIET_SECONDS:
                    quiet = 0.0
                    yield ": still here\n\n"
                    if not await self._may_stay():
                        yield "event: signed-out\ndata: {}\n\n"
                        return
                continue
            quiet = 0.0
            yield f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"

    async def _may_stay(self) -> bool:
        try:
            return await self._is_welcome()
        except LogUnavailable:
            return True

    async def _look(self) -> None:
        """Tell the lists whenever they change, and follow the chats that are the agent's."""
        last: dict[str, Any] = {}
        with suppress(PageGone):
            while not self._room.is_stopping:
                changed = self._room.board.changed
                board = render_board(self._room, self._agent)
                if board != last:
                    last = board
                    self._put("board", {**board, **{name: self._changes(name, board[name]) for name in ("queue", "mine")}})
                self._follow_mine()
                await asyncio.sleep(PAUSE_SECONDS)
                await changed.wait()

    def _changes(self, name: str, rows: list[tuple[str, str]]) -> list[list[str | None]]:
        """The rows in order, without what the page has of them already: a full queue is sent once, not at every change."""
        had, self._sent[name] = self._sent.get(name, {}), dict(rows)
        return [[id, None if had.get(id) == html else html] for id, html in rows]

    def _follow_mine(self) -> None:
        mine = {case.id: case.last_seq for case in self._room.board.of(self._agent.id)}
        for conversation in set(self._followers) - set(mine):
            self._followers.pop(conversation).cancel()
        for conversation in set(mine) - set(self._followers):
            self._followers[conversation] = asyncio.create_task(self._follow(conversation, mine[conversation]))

    async def _follow(self, conversation: ConversationId, seq: int) -> None:
        with suppress(PageGone, LogUnavailable):
            async for entry in self._room.log.follow(conversation, seq):
                self._put("entry", show(entry, self._room))
                self._room.watch.wake()

    def _put(self, name: str, data: dict[str, Any]) -> None:
        try:
            self._events.put_nowait((name, data))
        except asyncio.QueueFull:
            raise PageGone from None


def show(entry: Entry, room: Room) -> dict[str, Any]:
    """An entry as the page takes it."""
    return {
        "conversation": entry.conversation,
        "seq": entry.seq,
        "html": render_entry(entry, room),
        "customers": entry.speaker is Speaker.CUSTOMER,
    }
