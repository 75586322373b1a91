"""Dispatch: one turn at a time per conversation, each under one deadline, and no message forgotten."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

from bot.domain import ConversationId, Entry, Outcome
from bot.ending import end
from bot.errors import ConversationUnknown, TooManyMessages

logger = logging.getLogger(__name__)

TakeTurn = Callable[[Entry], Coroutine[Any, Any, None]]
Settle = Callable[[Entry, Outcome], Coroutine[Any, Any, None]]
InOrder = Callable[[Entry], AbstractAsyncContextManager[Sequence[Entry]]]
"""What is to be answered up to a message, while no other process answers it (`bot.turns`)."""


class Dispatch:
    """Runs `take_turn` for each message in order; a turn that fails, is stopped or is too late goes to `settle`.

    A message that could not even be settled (the log is away) is lined up again after `retry_seconds`. At most `waiting`
    messages of a conversation are on their way at a time. With `in_order` the turns are in order among processes too.
    """

    def __init__(  # noqa: PLR0913
        self,
        take_turn: TakeTurn,
        settle: Settle,
        *,
        deadline_seconds: float,
        waiting: int,
        retry_seconds: float = 5.0,
        in_order: InOrder | None = None,
    ) -> None:
        self._take_turn = take_turn
        self._settle = settle
        self._deadline_seconds = deadline_seconds
        self._retry_seconds = retry_seconds
        self._most = waiting
        self._in_order = in_order or _alone
        self._arriving: Counter[ConversationId] = Counter()
        self._lines: dict[ConversationId, dict[int, Entry]] = {}
        self._workers: dict[ConversationId, asyncio.Task[None]] = {}
        self._turns: dict[ConversationId, asyncio.Task[None]] = {}
        self._cut: set[asyncio.Task[None]] = set()

    @contextmanager
    def room(self, conversation: ConversationId) -> Iterator[None]:
        """Hold a place in the line while a message is being committed. Raises TooManyMessages if it is full."""
        if self.is_full(conversation):
            raise TooManyMessages
        self._arriving[conversation] += 1
        try:
            yield
        finally:
            self._arriving[conversation] -= 1
            if not self._arriving[conversation]:
                del self._arriving[conversation]

    def is_full(self, conversation: ConversationId) -> bool:
        """Whether so many messages wait that the next is refused."""
        return self._arriving[conversation] + len(self._lines.get(conversation, ())) >= self._most

    def is_flooded(self, conversation: ConversationId) -> bool:
        """Whether it is full for certain: this process answers it just now, so that no other can have emptied its line."""
        return self.is_full(conversation) and conversation in self._turns

    def keep(self, conversation: ConversationId, waiting: Sequence[Entry]) -> None:
        """Only these wait still: another process has answered the others before this one had its turn."""
        line, seqs = self._lines.get(conversation, {}), {entry.seq for entry in waiting}
        for seq in [seq for seq in line if seq not in seqs]:
            del line[seq]

    def wake(self, entries: Sequence[Entry]) -> None:
        """Line these messages up for their turns; one that is lined up or under way already is not lined up twice."""
        for entry in entries:
            self._lines.setdefault(entry.conversation, {}).setdefault(entry.seq, entry)
            if entry.conversation not in self._workers:
                self._workers[entry.conversation] = asyncio.create_task(self._work(entry.conversation))

    def stop(self, conversation: ConversationId) -> None:
        """Cut the turn in flight, if there is one; it is settled as stopped."""
        if turn := self._turns.get(conversation):
            turn.cancel()

    def cut(self, conversation: ConversationId) -> bool:
        """Cut the turn in flight without settling it: its message is somebody else's now. Whether there was one."""
        turn = self._turns.get(conversation)
        if turn is None:
            return False
        self._cut.add(turn)
        turn.cancel()
        return True

    def busy(self, conversation: ConversationId) -> bool:
        """Whether a message of this conversation waits or is being answered."""
        return conversation in self._workers

    async def close(self) -> None:
        """Cut what is under way without settling it: it is answered after the next start."""
        await end(*self._workers.values(), *self._turns.values())

    async def _work(self, conversation: ConversationId) -> None:
        line = self._lines[conversation]
        try:
            while line:
                seq = min(line)
                async with self._in_order(line[seq]) as waiting:
                    for asked in waiting:
                        await self._one(asked)
                line.pop(seq, None)
        finally:
            del self._lines[conversation]
            del self._workers[conversation]

    async def _one(self, asked: Entry) -> None:
        turn = asyncio.create_task(self._take_turn(asked))
        self._turns[asked.conversation] = turn
        try:
            done, _ = await asyncio.wait({turn}, timeout=self._deadline_seconds)
        finally:
            turn.cancel()
            del self._turns[asked.conversation]
        await asyncio.wait({turn})
        if turn in self._cut:
            self._cut.discard(turn)
            return
        if outcome := _unsettled(asked, turn, late=not done):
            await self._settle_or_retry(asked, outcome)

    async def _settle_or_retry(self, asked: Entry, outcome: Outcome) -> None:
        settled = asyncio.create_task(self._settle(asked, outcome))
        await asyncio.wait({settled})
        error = settled.exception()
        if error and not isinstance(error, ConversationUnknown):  # which was erased meanwhile: nobody waits any more
            logger.error("conversation %s: message %d stays unanswered", asked.conversation, asked.seq, exc_info=error)
            asyncio.get_running_loop().call_later(self._retry_seconds, self.wake, [asked])


@asynccontextmanager
async def _alone(asked: Entry) -> AsyncIterator[Sequence[Entry]]:
    """The order of a process that shares its conversations with nobody."""
    yield [asked]


def _unsettled(asked: Entry, turn: asyncio.Task[None], *, late: bool) -> Outcome | None:
    """How a turn ended that did not settle its message, written to the developers' log; None when it did."""
    if late:
        logger.error("conversation %s: the turn for message %d went over its deadline", asked.conversation, asked.seq)
        return Outcome.TOO_LATE
    if turn.cancelled():
        return Outcome.STOPPED
    if error := turn.exception():
        logger.error("conversation %s: the turn for message %d failed", asked.conversation, asked.seq, exc_info=error)
        return Outcome.FAILED
    return None
