"""Tools for tickets, which are kept in our own database."""

from typing import Annotated, Literal

from pydantic import Field

from bot.domain import Speaker
from bot.errors import ToolRefused
from bot.tickets import NOTE_CHARS, SUBJECT_CHARS, NewTicket, Note, Ticket, TicketNumber, TicketStatus
from bot.tools.tool import Role, Told, Work, tool
from bot.tools.words import clean, history_words, numbered, ticket_words

NO_TICKETS = "You have no tickets."
OPENED = "I have opened ticket {number} for you: “{subject}”. You can ask me about it at any time."
NOTED = "I have added that to ticket {number}."

Number = Annotated[str, Field(pattern=r"^\s*[Tt]-?\d{5,9}\s*$", description="Number of the ticket, such as T-10423.")]
Subject = Annotated[
    str, Field(min_length=3, max_length=SUBJECT_CHARS, description="What it is about, in the customer's own words.")
]
Category = Annotated[
    Literal["billing", "fault", "appointment", "order", "account", "other"],
    Field(description="What kind of matter it is."),
]
Text = Annotated[str, Field(min_length=1, max_length=NOTE_CHARS, description="What to add, in the customer's own words.")]


async def plan_ticket(work: Work, subject: str, category: str = "other") -> str:
    """What would be opened."""
    return f"open a ticket about “{clean(subject)}”"


@tool(plan=plan_ticket, per_minute=5)
async def create_ticket(work: Work, subject: Subject, category: Category = "other") -> Told:
    """Open a ticket that a person follows up later. The customer is asked before it is done."""
    wanted = NewTicket(
        customer=work.caller.owner,
        conversation=work.caller.conversation,
        subject=clean(subject),
        text=subject,
        category=category,
        priority=work.caller.priority,
        key=work.key,
    )
    ticket = await work.supplies.tickets.open(wanted)
    return Told(words=OPENED.format(number=ticket.number, subject=ticket.subject), value=ticket)


@tool()
async def get_ticket(work: Work, number: Number) -> Told:
    """One of the customer's own tickets: where it stands and what was last added."""
    ticket = await _mine(work, number)
    return Told(words=history_words(ticket, work.supplies.zone), value=ticket)


@tool()
async def list_tickets(work: Work) -> Told:
    """The customer's own tickets with their status, latest first."""
    found = await work.supplies.tickets.of(work.caller.owner, limit=10)
    return Told(words=numbered([ticket_words(ticket) for ticket in found]) or NO_TICKETS, value=tuple(found))


async def plan_note(work: Work, number: str, text: str) -> str:
    """What would be added. Raises ToolRefused."""
    ticket = await _mine(work, number)
    if ticket.status is TicketStatus.CLOSED and work.caller.role is Role.CUSTOMER:
        raise ToolRefused(f"Ticket {ticket.number} is closed. I can open a new one for you.")
    return f"add to ticket {ticket.number}: “{clean(text)}”"


@tool(plan=plan_note, per_minute=10)
async def update_ticket(work: Work, number: Number, text: Text) -> Told:
    """Add something to one of the customer's own tickets. The customer is asked before it is done."""
    by = Speaker.CUSTOMER if work.caller.role is Role.CUSTOMER else Speaker.AGENT
    note = Note(at=work.now, by=by, text=text)
    ticket = await work.supplies.tickets.add(work.caller.owner, tidy_number(number), note, work.key)
    return Told(words=NOTED.format(number=_found(ticket, number).number), value=ticket)


async def plan_status(work: Work, number: str, status: str) -> str:
    """What would be set. Raises ToolRefused."""
    return f"set ticket {(await _mine(work, number)).number} to {status}"


@tool(roles=(Role.AGENT, Role.ADMIN), plan=plan_status)
async def set_ticket_status(
    work: Work,
    number: Number,
    status: Annotated[Literal["open", "waiting", "solved", "closed"], Field(description="The new status.")],
) -> Told:
    """Set the status of a ticket of the conversation's customer. For agents."""
    note = Note(at=work.now, by=Speaker.AGENT, text=f"Status set to {status}.")
    ticket = await work.supplies.tickets.set_status(work.caller.owner, tidy_number(number), TicketStatus(status), note)
    return Told(words=f"Ticket {_found(ticket, number).number} is {status}.", value=ticket)


def tidy_number(number: str) -> TicketNumber:
    """`t10423` as T-10423."""
    return TicketNumber(f"T-{number.strip().upper().removeprefix('T').removeprefix('-')}")


async def _mine(work: Work, number: str) -> Ticket:
    """The caller's ticket; another customer's is as unknown as one that does not exist."""
    return _found(await work.supplies.tickets.ticket(work.caller.owner, tidy_number(number)), number)


def _found(ticket: Ticket | None, number: str) -> Ticket:
    if ticket is None:
        raise ToolRefused(f"I can't find a ticket {tidy_number(number)} of yours.")
    return ticket
