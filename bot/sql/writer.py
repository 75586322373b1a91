"""Group commit: many tasks append, one thread writes, and what came while it wrote goes into the next transaction."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, overload

from bot.domain import Conversation, Entry
from bot.errors import LogUnavailable
from bot.sql.books import Booking, Probe
from bot.sql.ledger import Append, Begin, Job, Outcome

BATCH = 256
"""Jobs in one transaction at most."""

Waiter = asyncio.Future[Any]
Work = Job | Booking | Probe
Result = Outcome | bool


class Writer:
    """Hands jobs in batches to `commit`, which runs in one thread, and settles each when its batch is on disk."""

    def __init__(
        self,
        commit: Callable[[Sequence[Work]], Sequence[Result]],
        on_entry: Callable[[Entry], None],
        patience_seconds: float,
    ) -> None:
        self._commit, self._on_entry, self._patience_seconds = commit, on_entry, patience_seconds
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-writer")
        self._queue: deque[tuple[Work, Waiter]] = deque()
        self._is_busy = False
        self._idle = asyncio.Event()
        self._idle.set()
        self._is_closed = False

    @overload
    async def write(self, job: Append) -> Entry: ...

    @overload
    async def write(self, job: Begin) -> Conversation: ...

    @overload
    async def write(self, job: Booking | Probe) -> bool: ...

    async def write(self, job: Work) -> Any:
        """The job's outcome once it is committed.

        Raises its refusal, or LogUnavailable. A cancelled job that has not begun is not written; one under way may be.
        """
        if self._is_closed:
            raise LogUnavailable("the conversation log is closed")
        loop = asyncio.get_running_loop()
        waiter: Waiter = loop.create_future()
        self._queue.append((job, waiter))
        if not self._is_busy:
            self._is_busy = True
            self._idle.clear()
            loop.call_soon(self._start, loop)  # a moment later, so that those who append now come along
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await waiter
        except TimeoutError:
            raise LogUnavailable(f"the conversation log did not answer within {self._patience_seconds:g} s") from None

    async def close(self) -> None:
        """Write what is queued and end the thread."""
        self._is_closed = True
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience_seconds):
                await self._idle.wait()
        self._thread.shutdown(wait=not self._is_busy)  # not for a database that hangs

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        batch: list[tuple[Work, Waiter]] = []
        while self._queue and len(batch) < BATCH:
            job, waiter = self._queue.popleft()
            if not waiter.done():
                batch.append((job, waiter))
        if not batch:
            self._is_busy = False
            self._idle.set()
            return
        work = self._thread.submit(self._commit, [job for job, _ in batch])
        work.add_done_callback(lambda done: self._report(loop, batch, done))

    def _report(
        self, loop: asyncio.AbstractEventLoop, batch: list[tuple[Work, Waiter]], done: Future[Sequence[Result]]
    ) -> None:
        with suppress(RuntimeError):  # the loop is gone, and with it everyone who waits
            loop.call_soon_threadsafe(self._settle, loop, batch, done)

    def _settle(
        self, loop: asyncio.AbstractEventLoop, batch: list[tuple[Work, Waiter]], done: Future[Sequence[Result]]
    ) -> None:
        failure = done.exception()
        if failure is not None:
            # What fails slowly (a lock, a server that is away) would make those behind wait as long again, each in turn.
            batch += self._queue
            self._queue.clear()
        self._start(loop)
        for (_, waiter), outcome in zip(batch, [failure] * len(batch) if failure else done.result(), strict=True):
            if isinstance(outcome, Entry):
                self._on_entry(outcome)
            if not waiter.done():
                settle(waiter, outcome)


def settle(waiter: Waiter, outcome: object) -> None:
    """Give the outcome to the task that waits for it."""
    if isinstance(outcome, BaseException):
        waiter.set_exception(outcome)
    else:
        waiter.set_result(outcome)
