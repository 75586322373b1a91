"""What a customer does in their chat: back to the assistant, leave, rate people and the assistant; only in their own."""

import time
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from bot.desk.customer import MOST_COMMENT_CHARS, leave, rate_episode, return_to_bot
from bot.desk.room import Room
from bot.domain import Conversation, ConversationId, Entry
from bot.errors import ConversationUnknown, FrontdeskError, HolderChanged, MessageRefused
from bot.log import ConversationLog
from bot.webchat.identity import read_visitor

LATER = "That could not be done right now. Please try again in a moment."
End = Callable[[ConversationLog, Conversation], Awaitable[Entry | None]]


class Rating(BaseModel):
    """The body of a rating: the entry that began the time with people or the assistant, stars, and a comment."""

    episode: int = Field(ge=1, le=2**62)
    stars: int = Field(ge=1, le=5)
    comment: str = Field("", max_length=MOST_COMMENT_CHARS)


class CustomerRoutes:
    """The routes under `/conversation`."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.router = APIRouter(include_in_schema=False, prefix="/conversation")
        self.router.add_api_route("/{id}/back", self.back, methods=["POST"])
        self.router.add_api_route("/{id}/leave", self.leave, methods=["POST"])
        self.router.add_api_route("/{id}/rating", self.rate, methods=["POST"])

    async def back(self, request: Request, id: str) -> dict[str, bool]:
        """To the assistant."""
        return await self._end(request, id, return_to_bot)

    async def leave(self, request: Request, id: str) -> dict[str, bool]:
        """Goodbye."""
        return await self._end(request, id, leave)

    async def rate(self, request: Request, id: str, rating: Rating) -> dict[str, bool]:
        """How it was with the people, or the assistant."""
        own = await self._own(request, id)
        try:
            case = await self._room.board.case(own.id)
            if case is None:
                raise HTTPException(404, "There is no such conversation.")
            await rate_episode(self._room.log, case, rating.episode, rating.stars, rating.comment)
            if again := await self._room.board.case(own.id):
                await self._room.watch.record_rating(again)
        except ConversationUnknown:
            raise HTTPException(404, "There is nothing to rate.") from None
        except MessageRefused as refused:
            raise HTTPException(422, refused.reason) from None
        except FrontdeskError:
            raise HTTPException(503, LATER) from None
        return {"ok": True}

    async def _end(self, request: Request, id: str, end: End) -> dict[str, bool]:
        own = await self._own(request, id)
        try:
            done = await end(self._room.log, own)
        except HolderChanged:
            raise HTTPException(409, LATER) from None
        except FrontdeskError:
            raise HTTPException(503, LATER) from None
        self._room.watch.wake()
        return {"ok": done is not None}

    async def _own(self, request: Request, id: str) -> Conversation:
        visitor = read_visitor(request.cookies, time.time())
        if visitor is None:
            raise HTTPException(401, "Please reload the page.")
        try:
            found = await self._room.log.conversation(ConversationId(id))
        except FrontdeskError:
            raise HTTPException(503, LATER) from None
        if found is None or found.customer != visitor.id:
            raise HTTPException(404, "There is no such conversation.")
        return found
