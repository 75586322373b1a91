"""The nouns of Frontdesk: frozen, slotted, keyword-only, without I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NewType

from knowledge.document import DocumentId, Found, Passage, PassageId

ConversationId = NewType("ConversationId", str)
CustomerId = NewType("CustomerId", str)
EntryId = NewType("EntryId", str)
ClientId = NewType("ClientId", str)
AgentId = NewType("AgentId", str)


class Speaker(StrEnum):
    """Who speaks; set by the server, never by a client."""

    CUSTOMER = "customer"
    BOT = "bot"
    AGENT = "agent"
    SYSTEM = "system"


class Kind(StrEnum):
    """What an entry is: the closed list."""

    MESSAGE = "message"
    """Something said, by a customer, the bot or an agent."""
    NOTICE = "notice"
    """A fact about the conversation that the customer is shown: a stopped reply, a failure."""
    FEEDBACK = "feedback"
    """A customer's thumb on a reply; `data` holds `of` (entry id) and `value` (1, 0 or null for withdrawn)."""
    NOTE = "note"
    """What the staff write for each other; a customer never gets it."""
    EVENT = "event"
    """A fact about the conversation that a customer is not shown: who claimed it, what was decided."""


SHOWN_TO_CUSTOMERS = frozenset({Kind.MESSAGE, Kind.NOTICE})
"""The kinds that a customer's page renders; the rest never leaves the staff's."""


class Holder(StrEnum):
    """Who holds a conversation; while it is not BOT the bot appends nothing."""

    BOT = "bot"
    QUEUE = "queue"
    AGENT = "agent"
    CLOSED = "closed"


class Outcome(StrEnum):
    """What a turn did for the customer."""

    ANSWERED = "answered"
    ASKED_BACK = "asked_back"
    ABSTAINED = "abstained"
    GREETED = "greeted"
    WARNED = "warned"
    """The customer is asked to go on without insults."""
    HANDED_OVER = "handed_over"
    STOPPED = "stopped"
    TOO_LATE = "too_late"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Who holds a conversation, and as AGENT which one."""

    holder: Holder
    agent: AgentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation and who holds it; `title` is its first message, shortened."""

    id: ConversationId
    customer: CustomerId
    holder: Holder
    title: str
    last_seq: int
    started: datetime
    updated: datetime
    agent: AgentId | None = None

    @property
    def held(self) -> Held:
        """Who holds it, and as AGENT which one."""
        return Held(holder=self.holder, agent=self.agent)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a caller wants to append; the log gives it its sequence number, id and time.

    `client_id` makes a customer's message idempotent; `answers` is the sequence number of the customer's entry that this
    reply or notice settles, and there is at most one such entry. `moves_to` passes the conversation on with this entry,
    whose data then say so (`holder`, `agent`); with `only_if` it is appended only while exactly that one holds it.
    """

    conversation: ConversationId
    speaker: Speaker
    kind: Kind
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)
    client_id: ClientId | None = None
    answers: int | None = None
    only_if: Held | None = None
    moves_to: Held | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One committed line of a conversation; `seq` counts from 1 without gaps, `at` is UTC."""

    conversation: ConversationId
    seq: int
    id: EntryId
    speaker: Speaker
    kind: Kind
    text: str
    data: Mapping[str, Any]
    at: datetime
    client_id: ClientId | None = None
    answers: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A piece of an answer: Markdown, and the numbers (from 1) of the passages it rests on; none for a courtesy."""

    text: str
    cites: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An article that a question back offers."""

    document: DocumentId
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the answer step proposes, before it is checked; `choices` are the articles a question back offers."""

    outcome: Outcome
    blocks: tuple[Block, ...]
    passages: tuple[Passage, ...] = ()
    choices: tuple[Choice, ...] = ()


def passage_url(passage: Passage) -> str:
    """Where a customer reads a passage: the article's own address, else our help page at that passage."""
    return passage.url or f"/help/{passage.document}#p{passage.position}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A passage that a reply rests on: `support` in [0, 1] is how far it bears the words that cite it."""

    number: int
    document: DocumentId
    title: str
    heading: str
    passage: PassageId
    url: str
    quote: str
    support: float


def cite(number: int, passage: Passage, support: float) -> Citation:
    """The citation of a passage that bears what it is cited for by `support`."""
    return Citation(
        number=number,
        document=passage.document,
        title=passage.title,
        heading=passage.heading,
        passage=passage.id,
        url=passage_url(passage),
        quote=passage.text,
        support=round(support, 3),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A checked answer: Markdown with `[1]` marks, each of them a citation."""

    outcome: Outcome
    text: str
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a turn: when it began and how long it took, in milliseconds, and what it decided."""

    name: str
    began_ms: float
    took_ms: float
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What one stream of a model took: tokens and dollars are None where nobody knows them.

    Times are milliseconds since the model was asked, None where none were taken: to its first word, and in all.
    """

    provider: str
    model: str
    prompt_tokens: int | None
    completion_tokens: int | None
    estimated: bool
    cost: float | None
    first_token_ms: float | None = None
    took_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WritingRecord:
    """How a model wrote a reply: whom it took, what they cost, which sentences did not hold; for the trace.

    `prompts` are the hashes of the prompt files by name, `prompt` is the last one as sent, times are milliseconds since the
    writing began.
    """

    usage: tuple[Usage, ...] = ()
    attempts: tuple[Mapping[str, Any], ...] = ()
    findings: tuple[str, ...] = ()
    prompts: Mapping[str, str] = field(default_factory=dict)
    prompt: str = ""
    first_shown_ms: float | None = None
    took_ms: float = 0.0


class Reason(StrEnum):
    """Why a conversation is handed over, or a human offered: the closed list."""

    CRISIS = "crisis"
    ASKED = "asked"
    ABUSE = "abuse"
    SENSITIVE = "sensitive"
    LEGAL = "legal"
    PRESS = "press"
    PRIORITY = "priority"
    FAILURE = "failure"
    REPEATED = "repeated"
    FRUSTRATED = "frustrated"
    DECLINING = "declining"
    UNANSWERED = "unanswered"
    TOO_LONG = "too_long"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a rule rests on: the customer's words, or a value against its threshold."""

    words: str = ""
    value: float | None = None
    threshold: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """A rule that fired: hand over, or with `offer` first ask the customer; its absence means the bot answers.

    `note` tells the agent what to mind; customers never read it.
    """

    reason: Reason
    rule: str
    evidence: Evidence
    offer: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a message is about and how its customer feels.

    `intent` is a name of the intents file and `route` what happens to it there (`bot.intents.Route`), `confidence` in [0, 1]
    that it is right, `also` further intents, `template` the article whose vetted answer the intent gives. `polarity` in
    [-1, 1] and `frustration` in [0, 1] are None in a language that is not read; `trend` is improving, stable or declining;
    `signs` are the words that speak of frustration, by rule; `topics` chances of what the conversation is about now.
    """

    intent: str
    confidence: float
    also: tuple[str, ...] = ()
    in_scope: bool = True
    route: str = ""
    template: DocumentId | None = None
    polarity: float | None = None
    frustration: float | None = None
    trend: str = "stable"
    language: str = "en"
    signs: Mapping[str, str] = field(default_factory=dict)
    topics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a conversation has come with the customer's need; each reply's entry keeps it for the next turn.

    `turns` count since the beginning or since something last helped, `unhelped` how often the customer said since then that
    a reply did not help, or asked the same again; `intent` is the need, `blamed` says that the last reply got a thumb down;
    `since_offer` counts the turns since a human was last offered, `offered` says that the last reply did.
    """

    intent: str = ""
    turns: int = 0
    unhelped: int = 0
    abuse: int = 0
    since_offer: int | None = None
    offered: bool = False
    apologised: bool = False
    blamed: bool = False
    outcome: str = ""
    flags: tuple[str, ...] = ()
    frustrations: tuple[float | None, ...] = ()
    topics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A customer's message and what the bot did about it: trace, log data and evaluation sample in one."""

    asked: Entry
    question: str
    reply: Reply
    found: Found | None
    steps: tuple[Step, ...]
    writing: WritingRecord | None = None
    reading: Reading | None = None
    escalation: Escalation | None = None
    standing: Standing = Standing()
    acted: Mapping[str, Any] = field(default_factory=dict)
