"""Limits on what one customer may send."""

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter

from bot.domain import CustomerId
from bot.errors import TooManyMessages


class MessageRate:
    """Messages per minute and customer, all conversations together; counted in this process."""

    def __init__(self, per_minute: int) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def check(self, customer: CustomerId) -> None:
        """Count one message. Raises TooManyMessages over the limit."""
        if not await self._limiter.hit(self._limit, "messages", customer):
            raise TooManyMessages
