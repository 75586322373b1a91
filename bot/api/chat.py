"""For customers: sessions, messages, history, a person, thumbs. `/api/v1/chat/…`."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from bot.api.access import Access, Customer, Gatekeeper, Parts
from bot.api.claiming import claim
from bot.api.following import Sentence, events_of_turn, holder_of, patience, wait_for_reply
from bot.api.limits import Limits
from bot.api.places import Place
from bot.api.problems import UNKNOWN, Refused
from bot.api.seams import Seams
from bot.api.shapes import (
    UUID4,
    Chats,
    Done,
    History,
    Line,
    MessageSaid,
    Said,
    SessionBegun,
    SessionWanted,
    Thumb,
    Wish,
    holder_after,
    show_chat,
    show_line,
    show_lines,
)
from bot.api.tokens import Session
from bot.domain import ClientId, Conversation, ConversationId, CustomerId, Entry, EntryId, Holder, Kind
from bot.webchat.identity import new_visitor

MOST_LINES = 200
LONGEST_POLL_SECONDS = 25.0
GRACE_SECONDS = 0.5
"""How long a reply that passed the conversation on may take to be read; then a person is awaited."""
EVENT_STREAM = "text/event-stream"

router = APIRouter(prefix="/chat", tags=["chat"])


@router.post("/session", status_code=201)
async def begin_session(wanted: SessionWanted, request: Request, parts: Parts, access: Gatekeeper) -> SessionBegun:
    """Begin or renew a session."""
    visitor = access.tokens.read_renewal(wanted.renew_token) if wanted.renew_token else None
    if wanted.renew_token and (visitor is None or await access.has_ended(visitor)):
        raise Refused(401, "renew_token", "This renewal is not valid any more. Begin a session without it.")
    if wanted.customer_token is not None:
        return await _sign_in(wanted.customer_token, visitor, parts, access)
    if visitor is None:
        await limits_of(request).session(request.state.network)
        session, token = access.tokens.begin(new_visitor().id, signed_in=False)
    else:
        session, token = access.tokens.go_on(visitor)
    return _begun(session, token, access.tokens.renewal(session))


@router.delete("/session")
async def end_session(session: Customer, access: Gatekeeper) -> Done:
    """Sign out: this session, its renewals and its sockets are over within 5 s."""
    await access.end(session)
    return Done()


@router.post(
    "/message",
    responses={
        200: {"model": Said, "content": {EVENT_STREAM: {"schema": {"type": "string"}}}},
        202: {"model": Said, "description": "Stored; the reply is not there yet, or a person will answer."},
    },
)
async def say(  # noqa: PLR0913, PLR0917  a request has as many parts as it has
    said: MessageSaid,
    request: Request,
    response: Response,
    session: Customer,
    parts: Parts,
    accept: Annotated[str, Header(description="`text/event-stream` for the reply sentence by sentence.")] = "",
) -> Said:
    """Send a message and get its reply, as JSON or as events: `message`, `sentence` …, then `reply` or `later`."""
    conversation = ConversationId(said.conversation or conversation_for(session.customer, said.client_id))
    await limits_of(request).message(session.customer)
    place = await limits_of(request).places.take(session.customer) if EVENT_STREAM in accept else None
    try:
        asked = await parts.bot.accept(conversation, session.customer, said.text, ClientId(said.client_id))
    except BaseException:
        if place:
            await place.leave()
        raise
    if place is None:
        return await _settled(parts, asked, response)
    return Told(parts, asked, place)  # type: ignore[return-value]  # a response is sent as it is


@router.get("/conversations")
async def conversations(
    session: Customer,
    parts: Parts,
    cursor: Annotated[int, Query(ge=0, le=10_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> Chats:
    """The customer's conversations."""
    found = await parts.bot.log.conversations(session.customer, limit + 1, cursor)
    more = cursor + limit if len(found) > limit else None
    return Chats(conversations=[show_chat(one) for one in found[:limit]], next=more)


@router.get("/history/{conversation}")
async def history(  # noqa: PLR0913, PLR0917  a query has as many parameters as it has
    conversation: Annotated[str, Path(pattern=UUID4, max_length=36)],
    request: Request,
    session: Customer,
    parts: Parts,
    after: Annotated[int, Query(ge=0, le=2**53 - 1, description="Lines above this number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_LINES)] = MOST_LINES,
    wait: Annotated[
        float, Query(ge=0, le=LONGEST_POLL_SECONDS, description="Seconds to wait for a line if there is none yet.")
    ] = 0,
) -> History:
    """A conversation's lines, at once or as soon as there is one."""
    id = ConversationId(conversation)
    known = await owned(parts, session, id)
    entries = await parts.bot.log.after(id, after, limit)
    if not entries and wait:
        async with limits_of(request).places.taken(session.customer):
            entries = await _next_entries(parts, id, after, wait)
        known = await owned(parts, session, id)
    return show_history(parts, known, entries, after)


@router.post("/escalate", status_code=202)
async def escalate(wish: Wish, request: Request, session: Customer, parts: Parts) -> Said:
    """Ask for a person; the same `client_id` again asks once."""
    conversation = ConversationId(wish.conversation or conversation_for(session.customer, wish.client_id))
    if wish.conversation:
        await owned(parts, session, conversation, may_be_new=True)
    await limits_of(request).message(session.customer)
    entry = await parts.escalate(conversation, session.customer, ClientId(wish.client_id))
    return Said(message=line_of(parts, entry), reply=None, holder=await holder_of(parts.bot, conversation))


@router.post("/feedback")
async def rate(thumb: Thumb, session: Customer, parts: Parts) -> Done:
    """A thumb on a reply of the customer's own conversations."""
    await parts.bot.rate(session.customer, EntryId(thumb.entry), thumb.value)
    return Done()


async def owned(parts: Seams, session: Session, conversation: ConversationId, *, may_be_new: bool = False) -> Conversation:
    """The conversation, if it is the customer's. Raises Refused (404), for others' as for what does not exist."""
    known = await parts.bot.log.conversation(conversation)
    if known is None and may_be_new:
        return await parts.bot.log.open(conversation, session.customer)
    if known is None or known.customer != session.customer:
        raise Refused(404, "unknown", UNKNOWN)
    return known


def conversation_for(customer: CustomerId, client_id: str) -> str:
    """The conversation that a first message begins; a repeat of it begins no second one."""
    digest = hashlib.sha256(f"{customer} {client_id}".encode()).digest()
    return str(UUID(bytes=digest[:16], version=4))


def line_of(parts: Seams, entry: Entry) -> Line:
    """A customer's message or a reply as a line."""
    line = show_line(entry, parts.bot.settings.assistant)
    if line is None:
        raise Refused(404, "unknown", UNKNOWN)
    return line


def show_history(parts: Seams, known: Conversation, entries: Any, after: int) -> History:  # noqa: ANN401
    """A page of a conversation."""
    rated = {str(e.data["of"]): e.data["value"] for e in entries if e.kind is Kind.FEEDBACK}
    return History(
        lines=show_lines(entries, parts.bot.settings.assistant),
        next=entries[-1].seq if entries else after,
        holder=known.holder,
        thumbs={of: value for of, value in rated.items() if value is not None},
    )


def limits_of(request: Request) -> Limits:
    """The limits of the application that answers."""
    limits: Limits = request.app.state.limits
    return limits


async def _sign_in(token: str, visitor: Session | None, parts: Seams, access: Access) -> SessionBegun:
    """A session of a known customer; the anonymous one before it is over, and what was said in it goes along."""
    vouched = await access.customers.exchange(token)
    claimed = 0
    if visitor is not None:
        claimed = await claim(parts.bot, parts.records, visitor.customer, vouched.customer, partial(access.end, visitor))
    session, ours = access.tokens.begin(vouched.customer, signed_in=True)
    return _begun(session, ours, None, claimed)


def _begun(session: Session, token: str, renewal: str | None, claimed: int = 0) -> SessionBegun:
    return SessionBegun(
        token=token,
        expires_in=int(session.until - datetime.now(UTC).timestamp()),
        renew_token=renewal,
        customer=session.customer,
        signed_in=session.signed_in,
        claimed=claimed,
    )


async def _settled(parts: Seams, asked: Entry, response: Response) -> Said:
    waiting = asyncio.create_task(wait_for_reply(parts.bot, asked, patience(parts.bot)))
    try:
        await asyncio.wait({waiting}, timeout=GRACE_SECONDS)  # most replies are there by then
        if not waiting.done() and await holder_of(parts.bot, asked.conversation) is Holder.BOT:
            await asyncio.wait({waiting})
        reply = waiting.result() if waiting.done() else None
    finally:
        waiting.cancel()
    holder = holder_after(reply, Holder.BOT) if reply else await holder_of(parts.bot, asked.conversation)
    response.status_code = 200 if reply else 202
    return Said(message=line_of(parts, asked), reply=line_of(parts, reply) if reply else None, holder=holder)


class Told(StreamingResponse):
    """A reply as events; it holds one of the customer's places until it is sent, or the customer is gone."""

    def __init__(self, parts: Seams, asked: Entry, place: Place) -> None:
        heard: asyncio.Queue[Entry | Sentence | None] = asyncio.Queue()
        self._listening = asyncio.create_task(_listen(parts, asked, heard))  # from now on: a sentence may come at once
        self._place = place
        super().__init__(_events(parts, asked, heard), media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._listening.cancel()
            await asyncio.shield(self._place.leave())


async def _listen(parts: Seams, asked: Entry, heard: asyncio.Queue[Entry | Sentence | None]) -> None:
    """Put what happens in the turn into the queue, and None at its end; at once where a person holds the conversation."""
    turn = asyncio.create_task(_hear_turn(parts, asked, heard))
    try:
        if await holder_of(parts.bot, asked.conversation) is not Holder.BOT:
            await asyncio.wait({turn}, timeout=GRACE_SECONDS)  # unless it was answered before
        else:
            await asyncio.wait({turn})
    finally:
        turn.cancel()
        heard.put_nowait(None)


async def _hear_turn(parts: Seams, asked: Entry, heard: asyncio.Queue[Entry | Sentence | None]) -> None:
    async for event in events_of_turn(parts.bot, asked, patience(parts.bot)):
        heard.put_nowait(event)


async def _events(parts: Seams, asked: Entry, heard: asyncio.Queue[Entry | Sentence | None]) -> AsyncIterator[str]:
    yield event_text("message", line_of(parts, asked).model_dump(mode="json"), asked.seq)
    while (event := await heard.get()) is not None:
        if isinstance(event, Sentence):
            told = {"answers": event.answers, "sentence": event.sentence, "text": event.text, "replaces": event.replaces}
            yield event_text("sentence", told)
        else:
            yield event_text("reply", line_of(parts, event).model_dump(mode="json"), event.seq)
            return
    yield event_text("later", {"holder": await holder_of(parts.bot, asked.conversation), "after": asked.seq})


def event_text(name: str, data: object, id: int | None = None) -> str:
    """A server-sent event."""
    number = "" if id is None else f"id: {id}\n"
    return f"{number}event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


async def _next_entries(parts: Seams, id: ConversationId, after: int, seconds: float) -> list[Entry]:
    """The first entries above `after` that a customer is shown, and those before them."""
    found: list[Entry] = []
    entries = parts.bot.log.follow(id, after)
    try:
        async with asyncio.timeout(seconds):
            async for entry in entries:
                found.append(entry)
                if show_line(entry, "") or "holder" in entry.data:
                    break
    except TimeoutError:
        pass
    finally:
        await entries.aclose()
    return found
