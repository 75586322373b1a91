"""The desk's own records beside the log: who is on, what was offered to whom, escalations, and what webhooks are owed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from bot.domain import AgentId, ConversationId, CustomerId


class State(StrEnum):
    """What an agent says of themselves; whoever has no page open is away whatever they said."""

    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """An agent's state and since when (UTC); `beat` grows while a page of theirs is open."""

    agent: AgentId
    state: State
    since: datetime
    beat: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A waiting conversation offered to one agent: the `round`th time since entry `queued`; `tried` had it before."""

    conversation: ConversationId
    queued: int
    round: int
    agent: AgentId
    tried: tuple[AgentId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationRecord:
    """A time that people were needed, from the entry that said so (`seq`) to the one that ended it; moments are UTC.

    `replied` is the first thing a person said; `outcome` is the agent's, `rating` the customer's, 1 to 5.
    """

    conversation: ConversationId
    seq: int
    customer: CustomerId
    reason: str
    rule: str
    triggered: datetime
    claimed: datetime | None = None
    replied: datetime | None = None
    ended: datetime | None = None
    agent: AgentId | None = None
    outcome: str | None = None
    rating: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thumb:
    """What a customer last thought of one reply; `author` is the agent's name, "" for the assistant."""

    conversation: ConversationId
    is_up: bool
    author: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A customer's stars on the time that began with entry `seq`, and what they wrote beside them.

    `agent` is who had the chat then; None: the assistant.
    """

    conversation: ConversationId
    seq: int
    stars: int
    text: str
    at: datetime
    agent: AgentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """Thumbs and stars of some days, the latest stars first."""

    thumbs: Sequence[Thumb] = ()
    comments: Sequence[Comment] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An event that a webhook's target is to be told; the same id is never owed twice to one target."""

    id: str
    target: str
    body: Mapping[str, Any]
    attempts: int = 0


class Roster(Protocol):
    """What the desk keeps. Any method raises LogUnavailable when the store cannot be used."""

    async def presences(self) -> Sequence[Presence]:
        """Everyone who ever was at the desk."""
        ...

    async def set_state(self, agent: AgentId, state: State) -> None:
        """The agent says so now; `since` changes only with the state."""
        ...

    async def beat(self, agents: Sequence[AgentId]) -> None:
        """These agents have a page open now."""
        ...

    async def offers(self) -> Sequence[Offer]:
        """What is offered, one offer a conversation."""
        ...

    async def offer(self, offer: Offer) -> bool:
        """Make an offer in the place of the round before it; False if another process was quicker."""
        ...

    async def withdraw(self, conversations: Sequence[ConversationId]) -> None:
        """These wait no more."""
        ...

    async def record(self, records: Sequence[EscalationRecord]) -> None:
        """Keep the records as they are now."""
        ...

    async def open_records(self) -> Sequence[EscalationRecord]:
        """Those that have not ended."""
        ...

    async def records_since(self, since: datetime, limit: int) -> Sequence[EscalationRecord]:
        """Those that were triggered after `since`, the latest first."""
        ...

    async def feedback_since(self, since: datetime, limit: int) -> Feedback:
        """What customers said of replies and of times with people, from the latest `limit` entries that say so."""
        ...

    async def waits(self, since: datetime, limit: int) -> Sequence[float]:
        """How long customers waited for the latest claims after `since`, in seconds."""
        ...

    async def owe(self, deliveries: Sequence[Delivery], now: datetime) -> None:
        """Note what is to be told; what was noted before stays as it is."""
        ...

    async def take_due(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        """Deliveries to try now, each given to one process only; they are due again at `until` unless settled."""
        ...

    async def settle(self, delivery: Delivery, due: datetime | None, error: str = "") -> None:
        """It was delivered or given up (`due` is None), or failed and is due again."""
        ...
