"""Those who follow conversations: told of this process's entries at once, and of other processes' by one shared look."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Context

from bot.domain import ConversationId, Entry
from bot.errors import LogUnavailable
from bot.sql.draft import SEQ_MAX

HELD = 64
"""Entries kept for a slow reader; what it misses beyond them it reads from the database."""
PAGE = 1000
REST = 10
"""After a look it rests so many times as long as the look took, where that is longer than the pause that was asked for."""

ReadAfter = Callable[[ConversationId, int, int], Awaitable[Sequence[Entry]]]
ReadLastSeqs = Callable[[Sequence[ConversationId]], Awaitable[Mapping[ConversationId, int]]]

logger = logging.getLogger(__name__)


class Follower:
    """One reader of one conversation: what it has, what it was told, and whether the database holds more than that."""

    def __init__(self, conversation: ConversationId, seq: int) -> None:
        self.conversation = conversation
        self.seq = self._known = seq
        self.is_behind = True
        self.has_read = False
        self.wake = asyncio.Event()
        self._told: deque[Entry] = deque(maxlen=HELD)

    def tell(self, entry: Entry) -> None:
        """A new entry of this process."""
        self._known = max(self._known, entry.seq)
        self._told.append(entry)
        self.wake.set()

    def compare(self, last_seq: int) -> None:
        """What the database holds; behind if that is more than this reader has or was told."""
        if last_seq > max(self._known, self.seq):
            self.is_behind = True
            self.wake.set()

    def take(self) -> list[Entry]:
        """The told entries that follow what it has; behind if some before them were missed."""
        taken: list[Entry] = []
        seq = self.seq
        for entry in self._told:
            if entry.seq == seq + 1:
                taken.append(entry)
                seq = entry.seq
            elif entry.seq > seq:
                self.is_behind = True
                break
        self._told.clear()
        return taken


class Followers:
    """Everyone who follows a conversation in this process."""

    def __init__(self, read_after: ReadAfter, read_last_seqs: ReadLastSeqs, poll_seconds: float) -> None:
        self._read_after, self._read_last_seqs, self._poll_seconds = read_after, read_last_seqs, poll_seconds
        self._followers: dict[ConversationId, set[Follower]] = {}
        self._look: asyncio.Task[None] | None = None
        self._is_closed = False

    def tell(self, entry: Entry) -> None:
        """Tell the conversation's followers of an entry that this process committed."""
        for follower in self._followers.get(entry.conversation, ()):
            follower.tell(entry)

    def hear(self, conversation: ConversationId | None, seq: int) -> None:
        """Another process says that the conversation has entries up to `seq`; without one, that any may have more."""
        groups = self._followers.values() if conversation is None else [self._followers.get(conversation, set())]
        for follower in [follower for group in groups for follower in group]:
            follower.compare(SEQ_MAX if conversation is None else seq)

    async def follow(self, conversation: ConversationId, seq: int) -> AsyncGenerator[Entry, None]:
        """Entries above `seq` without gap or repeat, until closed. Raises LogUnavailable only while it has read nothing."""
        with self._follower(conversation, seq) as follower:
            while not self._is_closed:
                for entry in await self._more(follower):
                    follower.seq = entry.seq
                    yield entry

    def close(self) -> None:
        """End every iteration."""
        self._is_closed = True
        if self._look:
            self._look.cancel()
        for follower in [follower for group in self._followers.values() for follower in group]:
            follower.wake.set()

    async def _more(self, follower: Follower) -> Sequence[Entry]:
        if follower.is_behind:
            return await self._catch_up(follower)
        if told := follower.take():
            return told
        if not follower.is_behind:
            await follower.wake.wait()
            follower.wake.clear()
        return ()

    async def _catch_up(self, follower: Follower) -> Sequence[Entry]:
        follower.is_behind = False  # before the read, so that what is noticed meanwhile is read next
        try:
            page = await self._read_after(follower.conversation, follower.seq, PAGE)
        except LogUnavailable:
            if not follower.has_read:
                raise
            await asyncio.sleep(self._poll_seconds)
            page = ()
            follower.is_behind = True
        else:
            follower.is_behind |= len(page) == PAGE
        follower.has_read = True
        return page

    @contextmanager
    def _follower(self, conversation: ConversationId, seq: int) -> Iterator[Follower]:
        follower = Follower(conversation, seq)
        self._followers.setdefault(conversation, set()).add(follower)
        if self._look is None or self._look.done():
            # In a context of its own: it outlives the visitor who happens to come first.
            self._look = asyncio.get_running_loop().create_task(self._look_round(), context=Context())
        try:
            yield follower
        finally:
            group = self._followers[conversation]
            group.discard(follower)
            if not group:
                del self._followers[conversation]

    async def _look_round(self) -> None:
        """While anyone follows: one look for everyone at what the database holds."""
        took = 0.0
        while self._followers:
            await asyncio.sleep(max(self._poll_seconds, took * REST))
            began = time.monotonic()
            try:
                last_seqs = await self._read_last_seqs(tuple(self._followers))
            except LogUnavailable as failure:
                logger.warning("New entries of other processes are not seen at the moment: %s", failure)
                took = 0.0  # whoever was away is looked for as soon as ever
                continue
            took = time.monotonic() - began
            for conversation, last_seq in last_seqs.items():
                for follower in self._followers.get(conversation, ()):
                    follower.compare(last_seq)
