"""Who may do what at the desk's addresses: signed in, from our own page, with the token of the visit."""

import json
from collections.abc import Awaitable, Sequence
from typing import Any, TypeVar

from fastapi import HTTPException, Request

from bot.desk.cases import Case
from bot.desk.room import Room
from bot.domain import ConversationId, Entry
from bot.errors import ClientIdReused, ConversationUnknown, DeskRefused, FrontdeskError
from bot.pages.desk.session import Sessions, Visit, has_token, is_secure
from bot.webchat.origin import origin_allowed

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
MOST_SHOWN = 500
SIGNED_OUT = "You are signed out. Please sign in again; what you wrote is kept."
AWAY = "The conversation log cannot be reached now. Please try again in a moment; what you wrote is kept."
FOREIGN = "This page is older than your sign-in. Please reload it; what you wrote is kept."

T = TypeVar("T")


class Access:
    """The gate in front of one room."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.sessions = Sessions(room.staff)

    async def visit(self, request: Request) -> Visit | None:
        """Who this is, or None."""
        return await told(self.sessions.recognise(request.cookies, secure=is_secure(request)))

    async def signed_in(self, request: Request) -> Visit:
        """Who this is. Raises HTTPException."""
        visit = await self.visit(request)
        if visit is None:
            raise HTTPException(401, SIGNED_OUT)
        return visit

    async def changing(self, request: Request) -> tuple[Visit, dict[str, Any]]:
        """Whoever changes something, from our page, and the fields of the body. Raises HTTPException."""
        refuse_other_pages(request)
        visit = await self.signed_in(request)
        if not has_token(request, visit):
            raise HTTPException(403, FOREIGN)
        try:
            fields = json.loads(await request.body() or b"{}")
        except ValueError:
            raise HTTPException(422, "The request cannot be read.") from None
        if not isinstance(fields, dict):
            raise HTTPException(422, "The request cannot be read.")
        return visit, fields

    async def case(self, chat: str) -> Case:
        """A conversation that people are or were needed in, or that the bot has now; no other one is the staff's to read."""
        case = await told(self.room.board.case(ConversationId(chat)))
        if case is None or not (case.records or self.room.is_live(case)):
            raise HTTPException(404, "There is no such chat.")
        return case

    async def entries(self, case: Case) -> Sequence[Entry]:
        """Its latest entries."""
        return list(await told(self.room.log.before(case.id, case.last_seq + 1, MOST_SHOWN)))


async def told(work: Awaitable[T]) -> T:
    """The work's result; what is the matter becomes an answer that an agent can read."""
    try:
        return await work
    except DeskRefused as refused:
        raise HTTPException(409, refused.reason) from None
    except ClientIdReused as refused:
        raise HTTPException(409, refused.reason) from None
    except ConversationUnknown:
        raise HTTPException(404, "There is no such chat.") from None
    except FrontdeskError:
        raise HTTPException(503, AWAY) from None


def refuse_other_pages(request: Request) -> None:
    """Raises HTTPException for a request that another site's page made."""
    if not origin_allowed(request.headers.get("origin"), request.headers.get("host"), ()):
        raise HTTPException(403, "Requests from this site are not allowed.")


def read_id(fields: dict[str, Any]) -> str:
    """The id that the page gave a change, so that a repeat of it changes nothing. Raises HTTPException."""
    id = fields.get("id")
    if not isinstance(id, str) or not 8 <= len(id) <= 64 or not id.isascii() or not id.isprintable():
        raise HTTPException(422, "The message has no id.")
    return id
