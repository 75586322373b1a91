"""Upkeep: what is kept longer than the settings say is deleted, once an hour, whatever the customers do."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.ending import end
from bot.errors import LogUnavailable

logger = logging.getLogger(__name__)

EVERY_SECONDS = 3600.0

Expire = Callable[[datetime], Awaitable[int]]
"""Deletes what is older than a moment, and says how much that was. Raises LogUnavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is deleted, in words for the log, and after how many days."""

    what: str
    days: int
    expire: Expire


class Upkeep:
    """Does its jobs at the start and every hour. Several processes may do the same: what is gone is gone."""

    def __init__(self, jobs: Sequence[Job], every_seconds: float = EVERY_SECONDS) -> None:
        self._jobs, self._every_seconds = jobs, every_seconds
        self._going_on: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._going_on = asyncio.create_task(self._go_on())

    async def close(self) -> None:
        """End; a job that is under way ends with its transaction."""
        await end(self._going_on)

    async def do(self, now: datetime) -> None:
        """Every job once; one that fails is logged, and done an hour later."""
        for job in self._jobs:
            try:
                gone = await job.expire(now - timedelta(days=job.days))
            except LogUnavailable as failure:
                logger.warning("%s older than %d days are not deleted yet: %s", job.what, job.days, failure)
            else:
                if gone:
                    logger.info("%d %s older than %d days are deleted", gone, job.what, job.days)

    async def _go_on(self) -> None:
        while True:
            await self.do(datetime.now(UTC))
            await asyncio.sleep(self._every_seconds)
