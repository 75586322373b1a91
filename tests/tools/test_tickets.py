"""Tickets in the database: numbered, opened once per key, added to, and seen by nobody else."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain import ConversationId, Reason, Speaker
from bot.errors import ToolRefused
from bot.sql.tickets import SqlTickets
from bot.tickets import MOST_NOTES, NewTicket, Note, Priority, Ticket, TicketNumber, TicketStatus, ticket_priority

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)


@pytest.fixture
def tickets(any_store) -> SqlTickets:
    return SqlTickets(any_store)


def wanted(key: str = "k", customer: str = "ana") -> NewTicket:
    return NewTicket(customer=customer, conversation=ConversationId("c"), subject="Hub is broken", text="It is.", key=key)


def note(text: str, by: Speaker = Speaker.CUSTOMER, minutes: int = 1) -> Note:
    return Note(at=NOW + timedelta(minutes=minutes), by=by, text=text)


async def test_the_first_ticket_has_the_first_number_and_its_text_as_first_note(tickets):
    ticket = await tickets.open(wanted())
    assert ticket.number == "T-10423"
    assert (ticket.status, ticket.priority) == (TicketStatus.OPEN, Priority.NORMAL)
    assert [one.text for one in ticket.notes] == ["It is."]
    assert await tickets.ticket("ana", ticket.number) == ticket


async def test_a_key_opens_one_ticket_however_many_ask_at_once(tickets):
    opened = await asyncio.gather(*(tickets.open(wanted()) for _ in range(8)), tickets.open(wanted("other")))
    assert len({ticket.number for ticket in opened[:8]}) == 1
    assert opened[8].number != opened[0].number
    assert len(await tickets.of("ana")) == 2


async def test_another_customers_ticket_is_unknown(tickets):
    ticket = await tickets.open(wanted())
    assert await tickets.ticket("bob", ticket.number) is None
    assert await tickets.add("bob", ticket.number, note("mine now"), "n") is None
    assert await tickets.set_status("bob", ticket.number, TicketStatus.CLOSED, note("closed")) is None
    assert await tickets.of("bob") == []
    assert await tickets.ticket("ana", ticket.number) == ticket


@pytest.mark.parametrize("number", ["", "T-", "T-1", "LF-204815", "T-99999999999999999999", "10423", "T-10423 OR 1=1"])
async def test_what_is_no_tickets_number_names_none(tickets, number):
    await tickets.open(wanted())
    assert await tickets.ticket("ana", TicketNumber(number)) is None


async def test_a_note_is_added_once_per_key_and_opens_a_solved_ticket(tickets):
    number = (await tickets.open(wanted())).number
    await tickets.set_status("ana", number, TicketStatus.SOLVED, note("solved", Speaker.AGENT))
    for _ in range(2):
        ticket = await tickets.add("ana", number, note("not solved", minutes=2), "n1")
    assert isinstance(ticket, Ticket)
    assert [one.text for one in ticket.notes] == ["It is.", "solved", "not solved"]
    assert ticket.status is TicketStatus.OPEN


async def test_a_closed_or_full_ticket_takes_no_more_from_the_customer(tickets):
    number = (await tickets.open(wanted())).number
    for count in range(MOST_NOTES - 1):
        await tickets.add("ana", number, note(f"note {count}"), f"n{count}")
    with pytest.raises(ToolRefused, match="cannot take more"):
        await tickets.add("ana", number, note("one more"), "last")
    other = (await tickets.open(wanted("other"))).number
    await tickets.set_status("ana", other, TicketStatus.CLOSED, note("closed", Speaker.AGENT))
    with pytest.raises(ToolRefused, match="closed"):
        await tickets.add("ana", other, note("but"), "but")


def test_a_tickets_priority_follows_from_the_reading():
    assert ticket_priority(Reason.CRISIS) is Priority.URGENT
    assert ticket_priority(Reason.LEGAL) is Priority.HIGH
    assert ticket_priority(None, frustration=0.9) is Priority.HIGH
    assert ticket_priority(None, frustration=0.1) is Priority.NORMAL
