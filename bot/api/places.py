"""Places for customers' open sockets and streams: so many each, over all processes, and those of a process that died go."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.api.problems import Refused
from bot.bus import Bus, place_of
from bot.bus_local import LocalBus
from bot.domain import CustomerId
from bot.ending import end

HELD_SECONDS = 30.0
"""How long the place of a process that died stays taken."""
RENEWALS = 3
"""Renewals in that time, so that a late one does not lose it."""


class Place:
    """One open socket or stream, until `leave`; again is harmless."""

    def __init__(self, bus: Bus, room: str) -> None:
        self._bus, self._room, self._id = bus, room, secrets.token_hex(8)
        self._staying: asyncio.Task[None] | None = None

    async def enter(self, most: int) -> bool:
        """Whether there was room; of several who come at once never one too many gets in."""
        await self._bus.appear(self._room, self._id, HELD_SECONDS)
        if len(await self._bus.present(self._room)) > most:
            await self.leave()
            return False
        self._staying = asyncio.create_task(self._stay())
        return True

    async def leave(self) -> None:
        """Make room."""
        await end(self._staying)
        self._staying = None
        await self._bus.leave(self._room, self._id)

    async def _stay(self) -> None:
        while True:
            await asyncio.sleep(HELD_SECONDS / RENEWALS)
            await self._bus.appear(self._room, self._id, HELD_SECONDS)


class Places:
    """Everybody's places."""

    def __init__(self, most: int, bus: Bus | None) -> None:
        self._most, self._bus = most, bus or LocalBus()

    async def take(self, customer: CustomerId) -> Place:
        """One of the customer's places. Raises Refused (429)."""
        place = Place(self._bus, place_of("sockets", customer))
        if not await place.enter(self._most):
            raise Refused(
                429, "too_many_connections", "You have too many chats open at once. Close one of them.", retry_after=10
            )
        return place

    @asynccontextmanager
    async def taken(self, customer: CustomerId) -> AsyncIterator[None]:
        """Hold one of them. Raises Refused (429)."""
        place = await self.take(customer)
        try:
            yield
        finally:
            await place.leave()
