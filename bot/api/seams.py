"""What the API stands on: the bot, its records, and what others may plug in. `build_seams` fills it; wiring may too."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.bot import Bot
from bot.bus import Bus
from bot.desk.cases import Case
from bot.domain import AgentId, ClientId, ConversationId, CustomerId, Entry, Turn
from bot.records import PersonalData, Records
from bot.staff import Agent, Staff
from bot.tickets import Tickets

Escalate = Callable[[ConversationId, CustomerId, ClientId], Awaitable[Entry]]
"""Bring a person into a customer's conversation; returns the customer's entry that says so. Idempotent by client id."""
Ask = Callable[[str, Sequence[str]], Awaitable[Turn]]
"""Answer a question without a conversation, given what was said before; nothing is stored."""

A_PERSON = "I'd like to talk to a person"
"""What a customer says who presses the button."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnDuty:
    """Somebody of the desk: `state` as the desk calls it, `chats` held now, `capacity` at most."""

    agent: AgentId
    name: str
    state: str
    chats: int
    capacity: int


class Duty(Protocol):
    """Who is on at the desk. Any method raises LogUnavailable when it cannot be told."""

    async def on_duty(self) -> Sequence[OnDuty]:
        """Everybody of the staff who is not off."""
        ...

    async def set_available(self, agent: AgentId, available: bool) -> None:
        """Let an agent be offered chats, or not."""
        ...

    async def dismiss(self, agent: Agent) -> int:
        """Delete the account, its chats to the front of the queue; how many they were. Again goes on where it was."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Seams:
    """What the API is built on; what is None is not there yet, and its routes say so (503)."""

    bot: Bot
    records: Records
    escalate: Escalate
    ask: Ask
    personal: tuple[PersonalData, ...] = ()
    """Stores beside the log that hold something about customers: profiles, session memory, the company's own."""
    staff: Staff | None = None
    tickets: Tickets | None = None
    duty: Duty | None = None
    rated: Callable[[Case], Awaitable[None]] | None = None
    """Told of a conversation in which a time with people was rated: the desk keeps that with its records."""
    bus: Bus | None = None
    """What the processes share; without one, customers' open sockets are counted in this process."""
