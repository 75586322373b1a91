"""`/api/v1/ws`: a conversation live in both directions, for apps, bots and the widget.

In: `join` (first, within seconds: token, conversation, `after`), `message`, `escalate`, `feedback`, `stop`, `ping`.
Out: `joined`, `line`, `sentence`, `holder`, `accepted`, `done`, `pong`, `problem`. Documented in docs/api.md.
"""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from fastapi import WebSocket, WebSocketDisconnect
from pydantic import Field, TypeAdapter, ValidationError

from bot.api.access import Access
from bot.api.chat import conversation_for, owned
from bot.api.following import Following, Sentence
from bot.api.limits import Limits
from bot.api.problems import Refused, Wrong, failed, plain, refusal_of
from bot.api.seams import Seams
from bot.api.shapes import Body, EntryRef, Id, MessageSaid, Seq, Thumb, Token, Wish, holder_after, show_line
from bot.api.tokens import Session
from bot.domain import ClientId, ConversationId, Entry, EntryId, Holder
from bot.ending import end
from bot.errors import FrontdeskError
from bot.webchat.origin import origin_allowed

logger = logging.getLogger(__name__)

JOIN_SECONDS = 10.0
MOST_FRAME_CHARS = 64 * 1024
MOST_MISTAKES = 20
"""Frames that are no requests, after which a socket is closed."""
MOST_REQUESTS_A_SECOND = 20
LOOK_SECONDS = 2.0
"""How often a socket sees whether its session has ended."""
POLICY, TOO_BIG, TRY_LATER, SIGNED_OUT = 1008, 1009, 1013, 4401


class Join(Body):
    """Who I am, and the conversation that I want to follow above `after`; without one the next message begins it."""

    type: Literal["join"]
    token: Token
    conversation: Id | None = None
    after: Seq = 0


class SaidHere(MessageSaid):
    """See POST /chat/message."""

    type: Literal["message"]


class WishedHere(Wish):
    """See POST /chat/escalate."""

    type: Literal["escalate"]


class RatedHere(Thumb):
    """See POST /chat/feedback."""

    type: Literal["feedback"]
    entry: EntryRef


class Stop(Body):
    """Cut the reply that is being written."""

    type: Literal["stop"]


class Ping(Body):
    """Tell me that you are there."""

    type: Literal["ping"]


Event = Annotated[Join | SaidHere | WishedHere | RatedHere | Stop | Ping, Field(discriminator="type")]
_EVENTS: TypeAdapter[Any] = TypeAdapter(Event)
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class Place:
    """Where a socket is: whose it is, and the conversation it follows."""

    session: Session
    conversation: ConversationId | None = None
    follower: asyncio.Task[None] | None = None
    holder: Holder = Holder.BOT
    marks: list[float] = field(default_factory=list)


async def talk(ws: WebSocket) -> None:
    """Serve one socket until it closes."""
    state = ws.app.state
    seams: Seams = state.seams
    if not origin_allowed(ws.headers.get("origin"), ws.headers.get("host"), seams.bot.settings.allowed_origins):
        await ws.close(POLICY)  # before it is accepted: the browser gets a 403
        return
    try:
        await state.limits.request(state.addresses.network(ws.scope))
    except Refused:
        await ws.close(TRY_LATER)
        return
    await ws.accept()
    socket = Socket(ws, seams, state.access, state.limits)
    try:
        await socket.run()
    except (WebSocketDisconnect, RuntimeError):  # Starlette's word for a socket that closed while we wrote
        return


class Socket:
    """One socket."""

    def __init__(self, ws: WebSocket, seams: Seams, access: Access, limits: Limits) -> None:
        self._ws, self._seams, self._access, self._limits = ws, seams, access, limits
        self._assistant = seams.bot.settings.assistant
        self._writing = asyncio.Lock()
        self._mistakes = 0

    async def run(self) -> None:
        """Wait for the greeting, then serve requests and see that the session goes on."""
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                join = await self._receive()
        except TimeoutError:
            await self._close(POLICY, "no join")
            return
        if not isinstance(join, Join):
            await self._tell(Refused(401, "session", "Send `join` first, with the token of a session."))
            await self._close(SIGNED_OUT, "join first")
            return
        try:
            session = await self._access.session(join.token)
            async with self._limits.places.taken(session.customer):
                await self._serve(Place(session=session), join)
        except Refused as refused:
            await self._tell(refused)
            await self._close(SIGNED_OUT if refused.status == 401 else TRY_LATER, refused.code)

    async def _serve(self, place: Place, join: Join) -> None:
        watching = asyncio.create_task(self._watch_session(place))
        try:
            await self._answer(place, join)
            while True:
                event = await self._receive()
                if event is None:
                    return
                await self._pace(place)
                await self._answer(place, event)
        finally:
            await end(watching, place.follower)

    async def _answer(self, place: Place, event: Body) -> None:
        """Do what is asked, or tell why not."""
        try:
            await self._do(place, event)
        except Refused as refused:
            await self._tell(refused, event)
        except FrontdeskError as error:
            await self._tell(refusal_of(error), event)
        except (WebSocketDisconnect, RuntimeError, asyncio.CancelledError):
            raise
        except Exception:
            logger.exception("a request on a socket failed")
            await self._tell(failed(), event)

    async def _do(self, place: Place, event: Body) -> None:
        bot, customer = self._seams.bot, place.session.customer
        if isinstance(event, Join):
            await self._join(place, event)
        elif isinstance(event, SaidHere):
            conversation = await self._enter(place, event.conversation, event.client_id)
            await self._limits.message(customer)
            entry = await bot.accept(conversation, customer, event.text, ClientId(event.client_id))
            await self._accepted(entry, event.client_id)
        elif isinstance(event, WishedHere):
            conversation = await self._enter(place, event.conversation, event.client_id)
            await self._limits.message(customer)
            entry = await self._seams.escalate(conversation, customer, ClientId(event.client_id))
            await self._accepted(entry, event.client_id)
        elif isinstance(event, RatedHere):
            await bot.rate(customer, EntryId(event.entry), event.value)
            await self._send({"type": "done"})
        elif isinstance(event, Stop):
            if place.conversation:
                await bot.stop(place.conversation, customer)
            await self._send({"type": "done"})
        else:
            await self._send({"type": "pong"})

    async def _join(self, place: Place, join: Join) -> None:
        session = await self._access.session(join.token)
        if session.customer != place.session.customer:
            raise Refused(403, "other_customer", "This socket is somebody else's: open another one.")
        place.session = session
        holder = Holder.BOT
        if join.conversation:
            known = await owned(self._seams, session, ConversationId(join.conversation))
            holder = known.holder
        await self._send({"type": "joined", "conversation": join.conversation, "after": join.after, "holder": holder})
        if join.conversation:
            await self._follow(place, ConversationId(join.conversation), join.after, holder)

    async def _enter(self, place: Place, wanted: str | None, client_id: str) -> ConversationId:
        """The conversation that is spoken in; the socket follows it from now on."""
        conversation = ConversationId(wanted or place.conversation or conversation_for(place.session.customer, client_id))
        known = await owned(self._seams, place.session, conversation, may_be_new=True)
        if place.conversation != conversation:
            await self._send({"type": "joined", "conversation": conversation, "after": 0, "holder": known.holder})
            await self._follow(place, conversation, 0, known.holder)
        return conversation

    async def _accepted(self, entry: Entry, client_id: str) -> None:
        told = {"client_id": client_id, "conversation": entry.conversation, "seq": entry.seq, "id": entry.id}
        await self._send({"type": "accepted", **told})

    async def _follow(self, place: Place, conversation: ConversationId, after: int, holder: Holder) -> None:
        await end(place.follower)
        place.conversation, place.holder = conversation, holder
        place.follower = asyncio.create_task(self._show(place, conversation, after))

    async def _show(self, place: Place, conversation: ConversationId, after: int) -> None:
        try:
            async with aclosing(Following(self._seams.bot, conversation, after).events()) as events:
                async for event in events:
                    await self._show_one(place, event)
        except FrontdeskError as error:
            await self._tell(refusal_of(error))
            await self._close(TRY_LATER, "unavailable")
        except (WebSocketDisconnect, RuntimeError):
            return

    async def _show_one(self, place: Place, event: Entry | Sentence) -> None:
        if isinstance(event, Sentence):
            told = {"answers": event.answers, "sentence": event.sentence, "text": event.text, "replaces": event.replaces}
            await self._send({"type": "sentence", **told})
            return
        if line := show_line(event, self._assistant):
            await self._send({"type": "line", "line": line.model_dump(mode="json")})
        if (holder := holder_after(event, place.holder)) is not place.holder:
            place.holder = holder
            await self._send({"type": "holder", "holder": holder})

    async def _watch_session(self, place: Place) -> None:
        """Close the socket soon after its session was signed out or has run out, unless it joined again with a new token."""
        while place.session.until > time.time() and not await self._access.has_ended(place.session):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_SECONDS)
        await self._tell(Refused(401, "signed_out", "This session was signed out, or has run out. Begin a new one."))
        await self._close(SIGNED_OUT, "signed out")

    async def _receive(self) -> Body | None:
        """The next request; mistakes are answered here. None when the socket is closed."""
        while True:
            message = await self._ws.receive()
            if message["type"] == "websocket.disconnect":
                return None
            text = message.get("text")
            if text is not None and len(text) > MOST_FRAME_CHARS:
                await self._close(TOO_BIG, "too large")
                return None
            try:
                event: Body = _EVENTS.validate_python(json.loads(text or ""))
            except (ValueError, RecursionError) as error:
                await self._tell(_mistake(error))
            else:
                return event
            self._mistakes += 1
            if self._mistakes >= MOST_MISTAKES:
                await self._close(POLICY, "too many mistakes")
                return None

    async def _pace(self, place: Place) -> None:
        """Read no faster than is fair; who sends more waits, and with it only their own socket."""
        now = asyncio.get_running_loop().time()
        place.marks = [mark for mark in place.marks if mark > now - 1] + [now]
        if len(place.marks) > MOST_REQUESTS_A_SECOND:
            await asyncio.sleep(1 - (now - place.marks[0]))

    async def _tell(self, refused: Refused, event: Body | None = None) -> None:
        told = {"type": "problem", "problem": refused.problem.model_dump(mode="json")}
        client_id = getattr(event, "client_id", None)
        await self._send(told | ({"client_id": client_id} if client_id else {}))

    async def _send(self, told: dict[str, Any]) -> None:
        async with self._writing:
            await self._ws.send_text(json.dumps(told, ensure_ascii=False))

    async def _close(self, code: int, reason: str) -> None:
        async with self._writing:
            await self._ws.close(code, reason)


def _mistake(error: Exception) -> Refused:
    refused = Refused(422, "invalid", "This frame is no request; see `errors` and docs/api.md.")
    if isinstance(error, ValidationError):
        problems = error.errors(include_url=False, include_input=False)[:20]
        refused.errors = [Wrong(where=[plain(part) for part in p["loc"]], what=plain(p["msg"], 200)) for p in problems]
    return refused
