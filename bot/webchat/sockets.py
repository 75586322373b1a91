"""The socket: what a page may send, and what comes of it. These handlers stand in the place of all of Chainlit's own.

Chainlit's handlers trust the browser (speaker, name, id, metadata, thread), acknowledge before anything is stored and show
exception texts. Ours take a text and an id, and nothing else.
"""

import asyncio
import hashlib
import logging
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from socketio import AsyncServer
from socketio.exceptions import ConnectionRefusedError as Refused
from starlette.requests import cookie_parser

from bot.api.ended import LOOK_SECONDS
from bot.bot import Bot
from bot.domain import ClientId, ConversationId, CustomerId
from bot.errors import ClientIdReused, FrontdeskError, LogUnavailable, MessageRefused, MessageUnreadable, TooManyMessages
from bot.webchat.developers import Developers
from bot.webchat.frames import Frame
from bot.webchat.identity import Visitor, read_visitor
from bot.webchat.origin import origin_allowed
from bot.webchat.screen import Screen
from bot.webchat.sessions import View, Views
from bot.webchat.steps import WithSteps
from bot.webchat.visits import Visits

logger = logging.getLogger(__name__)

UUID4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
MOST_ARRIVING = 20
"""Messages of one page that may wait to be taken; a page sends one at a time."""
NOT_STORED = "Something went wrong on our side and your message was not taken. Please send it again in a moment."
LOST_PAGE = "This page has lost its connection to the chat. Please reload it and send your message again."

Answer = dict[str, Any]


class Sockets:
    """The handlers of the page's events."""

    def __init__(self, bot: Bot, views: Views, visits: Visits, sio: AsyncServer) -> None:
        self._bot = bot
        self._views, self._visits = views, visits
        self._sio = sio
        self._developers = Developers(bot.settings)
        self._screen = Screen(bot, WithSteps(bot.log, views.at, self._emit))

    def register(self) -> None:
        """Put these handlers, and only these, on the socket."""
        self._sio.packet_class = Frame
        self._sio.handlers["/"] = {
            "connect": self.connect,
            "connection_successful": self.greet,
            "client_message": self.take_message,
            "stop": self.stop,
            "clear_session": self.clear,
            "disconnect": self.leave,
        }

    async def connect(self, sid: str, environ: object = None, auth: object = None, *ignored: object) -> bool:
        """A page opens its socket: from an allowed site, with a visitor's cookie and a session id of its own."""
        request: Mapping[str, str] = self._sio.get_environ(sid)
        if environ is not request:
            return False  # no connection but an event of that name, with whatever the page wrote into it
        if not origin_allowed(request.get("HTTP_ORIGIN"), request.get("HTTP_HOST"), self._bot.settings.allowed_origins):
            raise Refused("origin not allowed")
        cookies = cookie_parser(request.get("HTTP_COOKIE", ""))
        visitor = read_visitor(cookies, time.time())
        # the cookie is that of the WebSocket, which may be older than the end of its visit
        if visitor is None or await self._visits.are_over(visitor.visit, visitor.until):
            raise Refused("not signed in")
        fields: Mapping[str, object] = auth if isinstance(auth, dict) else {}
        session = read_uuid(fields.get("sessionId"))
        if session is None:
            raise Refused("bad session")
        known = self._views.of(session)
        if known is not None and await self._visits.are_over(known.visit, known.until):
            await self._let_go(known)
            known = None
        if known is None:
            known = await self._new_view(session, sid, visitor, fields.get("threadId"))
            self._views.add(known)
        elif (known.customer, known.visit) != (visitor.id, visitor.visit):
            raise Refused("bad session")
        elif (old := self._views.move(known, sid)) != sid:
            await self._sio.disconnect(old)
        known.developer = self._developers.recognise(cookies)
        return True

    async def let_go(self) -> None:
        """Close the pages whose visits are over, after telling them where to begin anew."""
        for view in self._views.everyone():
            if await self._visits.are_over(view.visit, view.until):
                await self._let_go(view)

    async def watch(self) -> None:
        """Let go of pages whose visits end in another process, or run out."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.let_go()

    async def _let_go(self, view: View) -> None:
        self._views.end(view)
        # What an anonymous visitor said is still at its address for whom they are now; a signed-in customer's is not.
        begin_at = "/" if view.until else ""
        await self._emit("window_message", {"frontdesk": "visit_over", "begin_at": begin_at}, view.sid)
        await self._sio.disconnect(view.sid)

    async def _new_view(self, session: str, sid: str, visitor: Visitor, thread: object) -> View:
        """A page at `/`, or at the address of a conversation; one that is not this visitor's is no conversation at all."""
        view = View(
            session=session,
            sid=sid,
            customer=visitor.id,
            conversation=first_conversation(visitor.id, session),
            visit=visitor.visit,
            until=visitor.until,
        )
        if not thread:
            return view
        wanted = read_uuid(thread)
        try:
            found = await self._bot.log.conversation(ConversationId(wanted)) if wanted else None
        except LogUnavailable:
            logger.exception("conversation %s cannot be opened now", wanted)
            raise Refused("unavailable") from None
        if found is not None and found.customer == visitor.id:
            view.conversation, view.begun, view.shown = found.id, True, found.last_seq
        else:
            view.refused_thread = True
        return view

    async def greet(self, sid: str, *ignored: object) -> None:
        """The page is ready: show it its conversation, if there is one."""
        view = self._views.at(sid)
        if view is None or view.greeted:
            return
        view.greeted = True
        await self._emit("task_end", {}, sid)
        if view.begun:
            self._screen.open(view)
            await self._resume(view)
        elif view.refused_thread:
            view.refused_thread = False
            await self._emit("resume_thread_error", "it was not found among your conversations.", sid)

    async def _resume(self, view: View) -> None:
        try:
            await self._bot.resume(view.conversation)
        except FrontdeskError:
            logger.exception("conversation %s: what is unanswered could not be taken up", view.conversation)

    async def take_message(self, sid: str, payload: object = None, *ignored: object) -> Answer:
        """A customer's message: acknowledged after it is committed, or refused with a reason for the customer."""
        view = self._views.at(sid)
        if view is None:
            return {"ok": False, "reason": LOST_PAGE}
        text, client_id = read_message(payload)
        view.arriving += 1
        try:
            return await self._take(view, text, client_id)
        except MessageRefused as refused:
            return await self._refuse(view, client_id, refused)
        except Exception:
            logger.exception("conversation %s: a message was not taken", view.conversation)
            return await self._refuse(view, client_id, MessageRefused(NOT_STORED))
        finally:
            view.arriving -= 1

    async def _take(self, view: View, text: object, client_id: ClientId | None) -> Answer:
        if client_id is None:
            raise MessageUnreadable
        if view.arriving > MOST_ARRIVING:
            raise TooManyMessages
        async with view.in_order:  # nothing is awaited before it: messages of a page are taken in the order they came in
            if await self._visits.are_over(view.visit, view.until):
                return {"ok": False, "reason": LOST_PAGE}
            if isinstance(text, str) and asyncio.get_running_loop().time() > view.rebuilt_by:
                view.sent[client_id] = text
            try:
                entry = await self._bot.accept(view.conversation, view.customer, text, client_id)
            except BaseException:
                view.sent.pop(client_id, None)
                raise
            if entry.seq <= view.shown:
                view.sent.pop(client_id, None)
            if not view.begun:
                view.begun = True
                await self._screen.announce(view, entry.text[:80])
            self._screen.follow(view)
        return {"ok": True, "seq": entry.seq, "id": entry.id}

    async def _refuse(self, view: View, client_id: ClientId | None, refused: MessageRefused) -> Answer:
        """Take the bubble off the page, say why, and let the page put the words back into its box."""
        if client_id is not None and not isinstance(refused, ClientIdReused):
            await self._emit("delete_message", {"id": client_id}, view.sid)
        await self._emit("toast", {"type": "error", "message": refused.reason}, view.sid)
        await self._emit("window_message", {"frontdesk": "refused"}, view.sid)
        return {"ok": False, "reason": refused.reason}

    async def stop(self, sid: str, *ignored: object) -> None:
        """The stop button."""
        view = self._views.at(sid)
        if view is None or not view.begun:
            return
        try:
            await self._bot.stop(view.conversation, view.customer)
        except FrontdeskError:
            logger.exception("conversation %s could not be stopped", view.conversation)

    async def clear(self, sid: str, *ignored: object) -> None:
        """The page starts afresh: nothing of this session is kept."""
        self._views.leave(sid, at_once=True)

    async def leave(self, sid: str, *ignored: object) -> None:
        """The socket closed; the page may come back."""
        self._views.leave(sid, at_once=False)

    async def _emit(self, event: str, data: object, sid: str) -> None:
        await self._sio.emit(event, data, to=sid)


def first_conversation(customer: CustomerId, session: str) -> ConversationId:
    """What a page at `/` begins with its first message: the same again when it comes back to a server that was killed.

    Else a message that was stored and never acknowledged would be stored in another one when the page sends it again.
    """
    digest = hashlib.sha256(f"{customer} {session}".encode()).digest()
    return ConversationId(str(uuid.UUID(bytes=digest[:16], version=4)))


def read_uuid(value: object) -> str | None:
    """A lower-case UUID4, or None for anything else."""
    return value if isinstance(value, str) and len(value) == 36 and UUID4.fullmatch(value) else None


def read_message(payload: object) -> tuple[object, ClientId | None]:
    """The text as it came and the client's message id; everything else a payload says is ignored."""
    message = payload.get("message") if isinstance(payload, dict) else None
    fields = message if isinstance(message, dict) else {}
    client_id = read_uuid(fields.get("id"))
    return fields.get("output"), ClientId(client_id) if client_id else None
