"""What enters and leaves the API for customers. Unknown fields are refused; what leaves was chosen field by field."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from bot.domain import SHOWN_TO_CUSTOMERS, Conversation, Entry, Holder, Speaker

UUID4 = r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
ENTRY = r"^[0-9a-f]{32}$"
MOST_SEQ = 2**53 - 1
"""JSON's numbers are whole up to here."""


def _whole(value: object) -> object:
    """JSON does not tell 6 from 6.0."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = BeforeValidator(_whole)


Id = Annotated[str, StringConstraints(pattern=UUID4, max_length=36)]
EntryRef = Annotated[str, StringConstraints(pattern=ENTRY, max_length=32)]
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.=-]+$", max_length=4096)]
Seq = Annotated[int, Field(ge=0, le=MOST_SEQ), Whole]


class Body(BaseModel):
    """A request's body: strict, and nothing in it that is not documented."""

    model_config = ConfigDict(extra="forbid", strict=True)


class SessionWanted(Body):
    """How to begin: with nothing for an anonymous customer, with the company's token for a known one.

    With `renew_token` the same anonymous customer comes back; together with `customer_token`, that anonymous customer's
    conversations become the known customer's.
    """

    customer_token: Token | None = None
    renew_token: Token | None = None


class SessionBegun(BaseModel):
    """A session; send `token` as `Authorization: Bearer …`."""

    token: str
    expires_in: int = Field(description="Seconds.")
    renew_token: str | None = Field(description="Renews an anonymous session; keep it as you would a cookie.")
    customer: str
    signed_in: bool
    claimed: int = Field(description="Conversations that were the anonymous customer's and are this one's now.")


class MessageSaid(Body):
    """A customer's message. The same `client_id` again is the same message, and is never answered twice."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=32_000)]
    client_id: Id = Field(description="A UUID (version 4) of your own making, another one for each message.")
    conversation: Id | None = Field(None, description="Leave it out to begin a conversation.")


class Wish(Body):
    """A wish for a person."""

    conversation: Id | None = Field(None, description="Leave it out to begin a conversation.")
    client_id: Id


class Thumb(Body):
    """A rating of a reply: 1 up, 0 down, null taken back."""

    entry: EntryRef
    value: Annotated[Literal[0, 1] | None, Whole]


class Source(BaseModel):
    """A passage that a reply rests on; `url` may be relative to this server."""

    number: int
    title: str
    heading: str
    url: str


class Line(BaseModel):
    """One line of a conversation as a customer reads it: Markdown in `text`, `[1]` marks name the sources."""

    conversation: str
    seq: int
    id: str
    speaker: Speaker
    kind: str
    name: str
    text: str
    at: str
    answers: int | None
    client_id: str | None
    sources: list[Source]


class Said(BaseModel):
    """A message that was stored, and its reply; `reply` is null when none came in time or a person will answer."""

    message: Line
    reply: Line | None
    holder: Holder


class History(BaseModel):
    """Lines above `after`, in order; ask again with `after` = `next`."""

    lines: list[Line]
    next: int
    holder: Holder
    thumbs: dict[str, int] = Field(description="The ratings among these lines, by the id of the line.")


class Chat(BaseModel):
    """A conversation in a list."""

    id: str
    title: str
    started: str
    updated: str
    holder: Holder
    last_seq: int


class Chats(BaseModel):
    """A customer's conversations, those that changed last first; `next` is null on the last page."""

    conversations: list[Chat]
    next: int | None


class Done(BaseModel):
    """It is done."""

    done: Literal[True] = True


def show_line(entry: Entry, assistant: str) -> Line | None:
    """The line of an entry, or None for what a customer never reads."""
    if entry.kind not in SHOWN_TO_CUSTOMERS:
        return None
    names = {Speaker.CUSTOMER: "You", Speaker.AGENT: str(entry.data.get("author") or assistant)}
    return Line(
        conversation=entry.conversation,
        seq=entry.seq,
        id=entry.id,
        speaker=entry.speaker,
        kind=entry.kind,
        name=names.get(entry.speaker, assistant),
        text=entry.text,
        at=entry.at.isoformat(),
        answers=entry.answers,
        client_id=entry.client_id if entry.speaker is Speaker.CUSTOMER else None,
        sources=_sources(entry),
    )


def show_lines(entries: Sequence[Entry], assistant: str) -> list[Line]:
    """The lines that a customer reads of these entries."""
    return [line for entry in entries if (line := show_line(entry, assistant))]


def show_chat(conversation: Conversation) -> Chat:
    """A conversation in a customer's list."""
    return Chat(
        id=conversation.id,
        title=conversation.title,
        started=conversation.started.isoformat(),
        updated=conversation.updated.isoformat(),
        holder=conversation.holder,
        last_seq=conversation.last_seq,
    )


def holder_after(entry: Entry, before: Holder) -> Holder:
    """Who holds the conversation after this entry."""
    word: Any = entry.data.get("holder")
    return Holder(word) if word in list(Holder) else before


def _sources(entry: Entry) -> list[Source]:
    told = entry.data.get("citations", ()) if entry.speaker in (Speaker.BOT, Speaker.AGENT) else ()
    return [
        Source(
            number=int(citation["number"]),
            title=str(citation.get("title", "")),
            heading=str(citation.get("heading", "")),
            url=str(citation.get("url", "")),
        )
        for citation in told
    ]
