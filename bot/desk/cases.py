"""What the log says of a conversation that people are needed in: folded entry by entry, no I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from bot import phrases
from bot.domain import AgentId, Conversation, ConversationId, CustomerId, Entry, EntryId, Holder, Kind, Outcome, Speaker
from bot.roster import EscalationRecord

TAKEN_OVER = "taken_over"
"""The reason of an escalation that an agent began: nobody was asked for."""
RETURNED = "handed_back"
LEFT = "customer_left"
AGENT_LOST, AGENT_BACK = "agent_lost", "agent_back"
"""Notices: the agent's page gives no sign, and gives one again."""
_SAYS_NOTHING = frozenset({"human", "greeting", "off_topic"})
"""Intents that do not say what a customer needs; the one before them does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MoodPoint:
    """What a turn read of the customer's mood: polarity in [-1, 1], frustration in [0, 1]; None in a language not read."""

    seq: int
    polarity: float | None
    frustration: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A time with the assistant: the customer's entry that began it, how often it replied, and the customer's stars.

    It is over for now when the customer has said thanks or goodbye.
    """

    seq: int
    began_by: EntryId
    replies: int = 0
    rating: int | None = None
    is_over: bool = False


@dataclass(slots=True, kw_only=True)
class Case:
    """A conversation as the desk sees it. `since` is when the customer began to wait, `queued` the entry that queued it.

    `owed` is the first customer's message that no person has replied to; `wanted` is whom it was passed on to; `is_closed`
    says that it came when the desk was.
    """

    id: ConversationId
    customer: CustomerId
    holder: Holder = Holder.BOT
    agent: AgentId | None = None
    last_seq: int = 0
    started: datetime | None = None
    updated: datetime | None = None
    since: datetime | None = None
    queued: int = 0
    front: bool = False
    team: str | None = None
    wanted: AgentId | None = None
    owed: datetime | None = None
    preview: str = ""
    intent: str = ""
    language: str = ""
    trend: str = ""
    escalation: Mapping[str, Any] = field(default_factory=dict)
    moods: list[MoodPoint] = field(default_factory=list)
    records: list[EscalationRecord] = field(default_factory=list)
    talk: Talk | None = None
    is_agent_lost: bool = False
    is_closed: bool = False
    ended_by: EntryId | None = None
    agent_name: str = ""

    @property
    def record(self) -> EscalationRecord | None:
        """The escalation under way."""
        return self.records[-1] if self.records and self.records[-1].ended is None else None

    @property
    def reason(self) -> str:
        """Why people are needed."""
        return self.record.reason if self.record else ""

    @property
    def frustration(self) -> float | None:
        """The customer's frustration in [0, 1], as last read."""
        return next((mood.frustration for mood in reversed(self.moods) if mood.frustration is not None), None)

    def add(self, entry: Entry) -> None:
        """The next entry of the conversation; one that was added before is passed over."""
        if entry.seq <= self.last_seq:
            return
        self.last_seq = entry.seq
        self.started, self.updated = self.started or entry.at, entry.at
        self._read(entry)
        if entry.kind is Kind.MESSAGE and entry.speaker is Speaker.CUSTOMER:
            self.preview = entry.text
            self.owed = self.owed or entry.at
            if self.record is None:
                self.talk = self.talk or Talk(seq=entry.seq, began_by=entry.id)
                self.talk = replace(self.talk, is_over=False)
        elif entry.kind is Kind.MESSAGE and entry.speaker is Speaker.BOT and self.talk:
            self.talk = _go_on(self.talk, entry)
        elif entry.kind is Kind.MESSAGE and entry.speaker is Speaker.AGENT:
            self.owed = None
            self._note(replied=entry.at, only_first=True)
        elif entry.kind is Kind.FEEDBACK and isinstance(entry.data.get("rating"), int):
            self._rate(entry)
        self.is_closed = bool(entry.data.get("closed", self.is_closed))
        if entry.data.get("notice") in (AGENT_LOST, AGENT_BACK):
            self.is_agent_lost = entry.data["notice"] == AGENT_LOST
        if holder := _holder(entry.data):
            self._move(entry, holder)

    def _read(self, entry: Entry) -> None:
        reading = _mapping(_mapping(entry.data.get("turn")).get("reading"))
        if not reading:
            return
        intent = str(reading.get("intent") or "")
        self.intent = self.intent if intent in ("", *_SAYS_NOTHING) and self.intent else intent
        self.language = str(reading.get("language") or self.language)
        self.trend = str(reading.get("trend") or self.trend)
        polarity, frustration = _number(reading.get("polarity")), _number(reading.get("frustration"))
        if polarity is not None or frustration is not None:
            self.moods.append(MoodPoint(seq=entry.answers or entry.seq, polarity=polarity, frustration=frustration))

    def _move(self, entry: Entry, holder: Holder) -> None:
        data, self.is_agent_lost, self.is_closed = entry.data, False, False
        if holder in (Holder.QUEUE, Holder.AGENT) and self.record is None:
            self._begin(entry, holder)
        if self.record:
            self.talk = None
        if holder is Holder.QUEUE:
            self.queued, self.front = entry.seq, bool(data.get("front"))
            self.team, self.wanted = _text(data.get("team")), _agent(data.get("for"))
        elif holder is Holder.AGENT:
            self.agent_name = _text(data.get("author")) or self.agent_name
            self._note(claimed=entry.at, only_first=True)
            self._note(agent=_agent(data.get("agent")))
        else:
            self._note(ended=entry.at, outcome=_text(data.get("outcome")) or str(holder))
            self.ended_by, self.owed, self.since = entry.id, None, None
        self.holder, self.agent = holder, _agent(data.get("agent"))

    def _begin(self, entry: Entry, holder: Holder) -> None:
        escalation = _mapping(entry.data.get("escalation"))
        unasked = TAKEN_OVER if holder is Holder.AGENT else "asked"
        self.escalation, self.since = escalation, entry.at
        self.records.append(
            EscalationRecord(
                conversation=self.id,
                seq=entry.seq,
                customer=self.customer,
                reason=_text(escalation.get("reason")) or unasked,
                rule=_text(escalation.get("rule")) or "",
                triggered=entry.at,
            )
        )

    def _note(self, *, only_first: bool = False, **changes: Any) -> None:  # noqa: ANN401  fields of the record
        record = self.record
        if record and not (only_first and all(getattr(record, name) is not None for name in changes)):
            self.records[-1] = replace(record, **changes)

    def _rate(self, entry: Entry) -> None:
        if self.talk and self.talk.seq == entry.data.get("episode"):
            self.talk = replace(self.talk, rating=entry.data["rating"])
        for place, record in enumerate(self.records):
            if record.seq == entry.data.get("episode"):
                self.records[place] = replace(record, rating=entry.data["rating"])


def begin_case(conversation: Conversation) -> Case:
    """A case without its entries."""
    return Case(id=conversation.id, customer=conversation.customer)


def _go_on(talk: Talk, reply: Entry) -> Talk:
    if reply.data.get("outcome") != Outcome.GREETED:
        return replace(talk, replies=talk.replies + 1)
    is_end = talk.replies > 0 and any(phrase in reply.text for phrase in (phrases.THANKS, phrases.GOODBYE))
    return replace(talk, is_over=is_end)


def _holder(data: Mapping[str, Any]) -> Holder | None:
    holder = data.get("holder")
    return Holder(holder) if holder in set(Holder) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _agent(value: object) -> AgentId | None:
    text = _text(value)
    return AgentId(text) if text else None
