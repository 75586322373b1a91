"""For the staff: logging in, asking the bot without a conversation, finding and reading conversations."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import BaseModel, Field, StringConstraints
from starlette.responses import PlainTextResponse

from bot.api.access import ADeveloper, AnAgent, Gatekeeper, Parts
from bot.api.chat import limits_of
from bot.api.problems import UNKNOWN, Refused
from bot.api.shapes import UUID4, Body, Chat, show_chat
from bot.domain import Conversation, ConversationId, CustomerId, Entry, Holder
from bot.records import Wanted
from bot.staff import LONGEST_PASSWORD, Role
from bot.trace import turn_data

MOST_ENTRIES = 1000
router = APIRouter(tags=["staff"])

Words = Annotated[str, StringConstraints(min_length=1, max_length=4000, pattern=r"[^\s\x00-\x1f]")]


class Login(Body):
    """An account's id and password."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    password: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_PASSWORD)]


class Visit(BaseModel):
    """A session of the staff; send `token` as `Authorization: Bearer …`."""

    token: str
    id: str
    name: str
    role: Role


class Question(Body):
    """A question as a customer might ask it, and what they said before, oldest first."""

    question: Words
    before: list[Words] = Field([], max_length=12)


class Answered(BaseModel):
    """The reply and its trace; nothing was stored."""

    text: str
    outcome: str
    trace: dict[str, Any]


class CustomersChat(Chat):
    """A conversation, and whose it is."""

    customer: str
    agent: str | None


class Found(BaseModel):
    """Conversations, those that changed last first; ask again with `cursor` = `next`, null on the last page."""

    conversations: list[CustomersChat]
    next: str | None


class Record(BaseModel):
    """One entry as the staff read it, notes and events included."""

    seq: int
    id: str
    speaker: str
    kind: str
    text: str
    data: dict[str, Any]
    at: str
    answers: int | None


class Transcript(BaseModel):
    """A conversation with its entries above `after`; ask again with `after` = `next`, null on the last page."""

    conversation: CustomersChat
    entries: list[Record]
    next: int | None


@router.post("/staff/session", status_code=201)
async def log_in(login: Login, request: Request, access: Gatekeeper) -> Visit:
    """Log in."""
    await limits_of(request).login(request.state.network)
    member, token = await access.log_in(login.id, login.password)
    return Visit(token=token, id=member.id, name=member.name, role=member.role)


@router.post("/ask")
async def ask(question: Question, member: ADeveloper, parts: Parts) -> Answered:
    """What the bot would answer now, and how it came to it."""
    try:
        turn = await parts.ask(question.question, question.before)
    except TimeoutError:
        raise Refused(503, "too_late", "No answer was found in the time of a turn.", retry_after=5) from None
    trace = json.loads(json.dumps(turn_data(turn), default=str))
    return Answered(text=turn.reply.text, outcome=turn.reply.outcome, trace=trace)


@router.get("/conversations")
async def search(  # noqa: PLR0913, PLR0917  a query has as many parameters as it has
    member: AnAgent,
    parts: Parts,
    text: Annotated[str, Query(max_length=200, description="Words that stand in it.")] = "",
    customer: Annotated[str | None, Query(max_length=200)] = None,
    holder: Holder | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    cursor: Annotated[str | None, Query(max_length=400, pattern=r"^[A-Za-z0-9_-]+$")] = None,
) -> Found:
    """Find conversations."""
    wanted = Wanted(
        text=text.replace("\x00", ""),
        customer=CustomerId(customer) if customer is not None else None,
        holder=holder,
        before=read_cursor(cursor) if cursor else None,
        limit=limit + 1,
    )
    found = await parts.records.search(wanted)
    last = found[limit - 1] if len(found) > limit else None
    return Found(conversations=[_chat(one) for one in found[:limit]], next=write_cursor(last) if last else None)


@router.get("/conversations/{conversation}")
async def transcript(
    conversation: Annotated[str, Path(pattern=UUID4, max_length=36)],
    member: AnAgent,
    parts: Parts,
    after: Annotated[int, Query(ge=0, le=2**53 - 1)] = 0,
) -> Transcript:
    """A conversation with all its entries."""
    found = await _known(parts.bot.log.conversation(ConversationId(conversation)))
    entries = await parts.bot.log.after(found.id, after, MOST_ENTRIES)
    more = entries[-1].seq if len(entries) == MOST_ENTRIES else None
    return Transcript(conversation=_chat(found), entries=[_record(entry) for entry in entries], next=more)


@router.get("/conversations/{conversation}/transcript", response_class=PlainTextResponse)
async def transcript_text(
    conversation: Annotated[str, Path(pattern=UUID4, max_length=36)], member: AnAgent, parts: Parts
) -> Response:
    """A conversation as plain text, to be kept or sent: what the customer read, and nothing else."""
    found = await _known(parts.bot.log.conversation(ConversationId(conversation)))
    lines: list[str] = []
    seq = 0
    while page := await parts.bot.log.after(found.id, seq, MOST_ENTRIES):
        seq = page[-1].seq
        lines += _as_text(page)
    name = f'attachment; filename="conversation-{found.id}.txt"'
    return PlainTextResponse("\n\n".join(lines) + "\n", headers={"Content-Disposition": name})


def write_cursor(conversation: Conversation) -> str:
    """Where a page ends."""
    text = json.dumps([conversation.updated.isoformat(), conversation.id])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[datetime, str]:
    """Where the page before ended. Raises Refused (422)."""
    try:
        at, id = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None or not isinstance(id, str):
            raise ValueError
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise Refused(422, "cursor", "This `cursor` was not given by this address. Begin without one.") from None
    return moment, id


async def _known(finding: Any) -> Conversation:  # noqa: ANN401
    found: Conversation | None = await finding
    if found is None:
        raise Refused(404, "unknown", UNKNOWN)
    return found


def _chat(conversation: Conversation) -> CustomersChat:
    return CustomersChat(**show_chat(conversation).model_dump(), customer=conversation.customer, agent=conversation.agent)


def _record(entry: Entry) -> Record:
    return Record(
        seq=entry.seq,
        id=entry.id,
        speaker=entry.speaker,
        kind=entry.kind,
        text=entry.text,
        data=dict(entry.data),
        at=entry.at.isoformat(),
        answers=entry.answers,
    )


def _as_text(entries: Sequence[Entry]) -> list[str]:
    shown = [entry for entry in entries if entry.kind in ("message", "notice")]
    return [f"[{entry.at:%Y-%m-%d %H:%M:%S} UTC] {entry.speaker}\n{entry.text}" for entry in shown]
