"""How often one customer may use one tool."""

from typing import Protocol

from bot.bus import Bus
from bot.bus_local import LocalBus
from bot.domain import CustomerId

_MINUTE_SECONDS = 60


class ToolRate(Protocol):
    """Counts calls per customer and tool."""

    async def allows(self, customer: CustomerId, tool: str, per_minute: int) -> bool:
        """Count one call; False when it is one too many."""
        ...


class SharedToolRate:
    """Counted on the bus, and so in every process; while the bus is away, in this one."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def allows(self, customer: CustomerId, tool: str, per_minute: int) -> bool:
        """See ToolRate."""
        return await self._bus.count(f"tool {tool} {customer}", _MINUTE_SECONDS) <= per_minute


class LocalToolRate(SharedToolRate):
    """Counted in this process."""

    def __init__(self) -> None:
        super().__init__(LocalBus())
