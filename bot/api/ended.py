"""What is over before it has run out: sessions and visits that were signed out, or that a sign-in has replaced."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

from bot.errors import LogUnavailable
from bot.records import Records

LOOK_SECONDS = 1.0
"""How long a sign-out of another process may go unnoticed."""
_OVERLAP = timedelta(seconds=30)
"""For the clocks of several processes, and for transactions that end late."""


class Ended:
    """The ids of one kind (`prefix`) that are spent in the database; looked up there once a second at most."""

    def __init__(self, records: Records, prefix: str) -> None:
        self._records, self._prefix = records, prefix
        self._ids: set[str] = set()
        self._looked: datetime | None = None
        self._look_again = 0.0
        self._looking = asyncio.Lock()

    async def has(self, id: str) -> bool:
        """Whether it is over, here or (up to a second ago) in another process."""
        is_first = self._looked is None  # who comes before anything is known waits; later ones go by what is known
        if is_first or (self._is_due() and not self._looking.locked()):
            async with self._looking:
                if self._is_due():
                    await self._look()
        return id in self._ids

    async def end(self, id: str, until: datetime) -> None:
        """It is over, and would have run out then. Raises LogUnavailable; then nothing has changed."""
        await self._records.spend(self._prefix + id, until)
        self._ids.add(id)

    def _is_due(self) -> bool:
        return time.monotonic() >= self._look_again

    async def _look(self) -> None:
        since = self._looked or datetime(2020, 1, 1, tzinfo=UTC)
        self._look_again = time.monotonic() + LOOK_SECONDS
        now = datetime.now(UTC)
        try:
            ended = await self._records.spent(self._prefix, since - _OVERLAP)
        except LogUnavailable:
            return
        self._ids.update(id.removeprefix(self._prefix) for id in ended)
        self._looked = now
