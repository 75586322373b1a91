"""The desk as a part of the server: opened with it, closed with it."""

from fastapi import APIRouter

from bot.bot import Bot
from bot.pages.desk.customers import CustomerRoutes
from bot.pages.desk.routes import DeskRoutes
from bot.wiring_desk import OpenRoom, open_room


class DeskPart:
    """The desk of one bot: the staff's pages, and what customers may do about the people."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._open: OpenRoom | None = None
        self.router = APIRouter(include_in_schema=False)

    async def start(self) -> None:
        """Open the desk. Raises SettingsInvalid or LogUnavailable, saying what is the matter."""
        self._open = await open_room(self._bot)
        self.router.include_router(DeskRoutes(self._open.room).router)
        self.router.include_router(CustomerRoutes(self._open.room).router)
        self._open.room.start()

    async def stop(self) -> None:
        """Close it."""
        if self._open:
            await self._open.close()
            self._open = None
