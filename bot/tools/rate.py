"""How often one customer may use one tool."""

from typing import Protocol

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from bot.domain import CustomerId


class ToolRate(Protocol):
    """Counts calls per customer and tool."""

    async def allows(self, customer: CustomerId, tool: str, per_minute: int) -> bool:
        """Count one call; False when it is one too many."""
        ...


class LocalToolRate:
    """Counted in this process."""

    def __init__(self) -> None:
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def allows(self, customer: CustomerId, tool: str, per_minute: int) -> bool:
        """See ToolRate."""
        return await self._limiter.hit(RateLimitItemPerMinute(per_minute), "tool", tool, customer)
