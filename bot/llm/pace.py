"""How long a stream may take: the wait for its first token, for its next one, and the turn's deadline."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from bot.errors import DeadlinePassed, ProviderTimedOut
from bot.llm.stream import Limits

T = TypeVar("T")

AFTER_FINISH_SECONDS = 1.0
"""A finished stream may take this long to add its usage."""


class Pace:
    """The limits of one stream, put around each wait for a vendor and never around the customer's reading.

    Only what moves the reply counts as a token: keep-alive lines and empty chunks do not.
    """

    def __init__(self, provider: str, limits: Limits) -> None:
        self._provider = provider
        self._limits = limits
        self._now = asyncio.get_running_loop().time
        self._waits_for = f"first token within {limits.first_token_seconds:.2f} s"
        self._until = self._now() + limits.first_token_seconds

    async def next(self, wait: Awaitable[T]) -> T:
        """What `wait` brings. Raises ProviderTimedOut, or DeadlinePassed when it was the turn that had no more time."""
        limit = asyncio.timeout_at(min(self._until, self._limits.deadline))
        try:
            async with limit:
                return await wait
        except TimeoutError:
            if not limit.expired():
                raise
            late = DeadlinePassed if self._limits.deadline <= self._until else ProviderTimedOut
            raise late(self._provider, f"no {self._waits_for}") from None

    def moved(self) -> None:
        """A token came: the next one has its own time."""
        self._waits_for = f"next token within {self._limits.between_tokens_seconds:.2f} s"
        self._until = self._now() + self._limits.between_tokens_seconds

    def finished(self) -> None:
        """The finish reason came: only the usage may follow."""
        self._until = self._now() + min(AFTER_FINISH_SECONDS, self._limits.between_tokens_seconds)
