"""Opens the desk and the REST API beside the chat: one part, because the API tells who is on at the desk."""

from dataclasses import replace

from fastapi import APIRouter

from bot.api.application import api_router, build_seams
from bot.api.duty import RoomDuty
from bot.api.seams import Seams
from bot.bot import Bot
from bot.memory_data import MemoryData
from bot.pages.desk.company import CompanyRoutes
from bot.pages.desk.customers import CustomerRoutes
from bot.pages.desk.routes import DeskRoutes
from bot.sql.tickets import SqlTickets
from bot.wiring_desk import OpenRoom, open_room


class DeskAndApi:
    """The desk's pages, what customers may do about people, and `/api/v1`."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._open: OpenRoom | None = None
        self.router = APIRouter(include_in_schema=False)

    async def start(self) -> None:
        """Open them. Raises SettingsInvalid or LogUnavailable, saying what is the matter."""
        self._open = opened = await open_room(self._bot)
        self.router.include_router(DeskRoutes(opened.room).router)
        self.router.include_router(CustomerRoutes(opened.room).router)
        if self._bot.settings.oidc_issuer:
            self.router.include_router(CompanyRoutes(self._bot.settings, opened.room.staff).router)
        self.router.include_router(api_router(self._bot, self._seams(opened)))
        opened.room.start()

    async def stop(self) -> None:
        """Close them."""
        if self._open:
            await self._open.close()
            self._open = None

    def _seams(self, opened: OpenRoom) -> Seams:
        mind = self._bot.mind
        return replace(
            build_seams(self._bot),
            personal=(MemoryData(mind.memory, self._bot.log),) if mind else (),
            staff=opened.room.staff,
            tickets=SqlTickets(opened.store),
            duty=RoomDuty(opened.room),
            rated=opened.room.watch.record_rating,
        )
