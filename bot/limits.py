"""Limits on what one customer may send."""

from bot.bus import Bus
from bot.bus_local import LocalBus
from bot.domain import CustomerId
from bot.errors import TooManyMessages

_MINUTE_SECONDS = 60


class MessageRate:
    """Messages per minute and customer, all conversations together; counted on the bus, and so in every process."""

    def __init__(self, per_minute: int, bus: Bus | None = None) -> None:
        self._per_minute = per_minute
        self._bus = bus or LocalBus()

    async def check(self, customer: CustomerId) -> None:
        """Count one message. Raises TooManyMessages over the limit."""
        if await self._bus.count(f"messages {customer}", _MINUTE_SECONDS) > self._per_minute:
            raise TooManyMessages
