"""Tickets: what a customer asked for that is followed up later, under a number they can ask about."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType, Protocol

from bot.domain import ConversationId, Reason, Speaker

TicketNumber = NewType("TicketNumber", str)
"""Such as T-10423."""

TICKET = re.compile(r"^T-(\d{5,9})$")
PREFIX = "T-"
SUBJECT_CHARS = 120
NOTE_CHARS = 2000
MOST_NOTES = 100
"""Notes a ticket takes; a customer who has more to say is better served by a colleague."""


def of_account(account: str) -> str:
    """Whose tickets an account's are: every device that is signed in to it shows them."""
    return f"account:{account}"


class TicketStatus(StrEnum):
    """Where a ticket stands: the closed list."""

    OPEN = "open"
    WAITING = "waiting"
    """We wait for the customer."""
    SOLVED = "solved"
    CLOSED = "closed"


class Priority(StrEnum):
    """How soon somebody must look at it; customers never read it."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One line of a ticket's history."""

    at: datetime
    by: Speaker
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """A ticket with its history, oldest note first; `customer` is whose it is, times are UTC."""

    number: TicketNumber
    customer: str
    conversation: ConversationId
    subject: str
    category: str
    priority: Priority
    status: TicketStatus
    opened: datetime
    updated: datetime
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTicket:
    """A ticket to open; the same `key` twice is one ticket."""

    customer: str
    conversation: ConversationId
    subject: str
    key: str
    text: str = ""
    category: str = "other"
    priority: Priority = Priority.NORMAL


class Tickets(Protocol):
    """Where tickets are kept. Any method raises LogUnavailable when the store cannot be used.

    `customer` is always the one who asks: another one's ticket is as unknown as one that does not exist.
    """

    async def open(self, wanted: NewTicket) -> Ticket:
        """Open a ticket, or return the one that this key opened."""
        ...

    async def ticket(self, customer: str, number: TicketNumber) -> Ticket | None:
        """The customer's ticket."""
        ...

    async def of(self, customer: str, limit: int = 20) -> Sequence[Ticket]:
        """The customer's tickets without their notes, latest change first."""
        ...

    async def add(self, customer: str, number: TicketNumber, note: Note, key: str) -> Ticket | None:
        """Add a note, once per key; a ticket that waited or was solved is open again when a customer adds to it."""
        ...

    async def expire(self, before: datetime) -> int:
        """Delete the tickets that are solved or closed and changed last before that moment, and say how many those were."""
        ...

    async def set_status(self, customer: str, number: TicketNumber, status: TicketStatus, note: Note) -> Ticket | None:
        """Change the status; the note says who did it."""
        ...


def ticket_priority(reason: Reason | None, frustration: float | None = None) -> Priority:
    """How soon, from why a conversation was handed over and how frustrated [0, 1] the customer is."""
    if reason is Reason.CRISIS:
        return Priority.URGENT
    if reason in (Reason.SENSITIVE, Reason.LEGAL, Reason.PRESS, Reason.PRIORITY):
        return Priority.HIGH
    return Priority.HIGH if (frustration or 0.0) > 0.65 else Priority.NORMAL
