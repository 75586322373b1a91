"""The tickets in the database."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from bot.domain import Speaker
from bot.errors import ToolRefused
from bot.sql.store import Store, lock_table
from bot.sql.tool_tables import ticket_notes, tickets
from bot.tickets import (
    MOST_NOTES,
    NOTE_CHARS,
    PREFIX,
    SUBJECT_CHARS,
    TICKET,
    NewTicket,
    Note,
    Priority,
    Ticket,
    TicketNumber,
    TicketStatus,
)

FIRST = 10_423
STATUS_KEY = "status"
AT_ONCE = 500
"""Tickets in one statement."""


class SqlTickets:
    """Tickets in a store; not closed with it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def open(self, wanted: NewTicket) -> Ticket:
        """See Tickets."""
        return await self._store.write(lambda connection: _open(connection, wanted))

    async def ticket(self, customer: str, number: TicketNumber) -> Ticket | None:
        """See Tickets."""
        return await self._store.read(lambda connection: _find(connection, customer, number))

    async def of(self, customer: str, limit: int = 20) -> Sequence[Ticket]:
        """See Tickets."""
        query = (
            select(tickets)
            .where(tickets.c.customer == customer)
            .order_by(tickets.c.updated.desc(), tickets.c.number.desc())
            .limit(limit)
        )
        return await self._store.read(lambda connection: [_read(row) for row in connection.execute(query).mappings()])

    async def add(self, customer: str, number: TicketNumber, note: Note, key: str) -> Ticket | None:
        """See Tickets."""
        return await self._store.write(lambda connection: _add(connection, (customer, number), note, key))

    async def expire(self, before: datetime) -> int:
        """See Tickets."""
        return await self._store.write(lambda connection: _expire(connection, before))

    async def set_status(self, customer: str, number: TicketNumber, status: TicketStatus, note: Note) -> Ticket | None:
        """See Tickets."""

        def change(connection: Connection) -> Ticket | None:
            key = f"{STATUS_KEY} {status} {note.at.isoformat()}"
            if _add(connection, (customer, number), note, key) is None:
                return None
            connection.execute(update(tickets).where(tickets.c.number == _plain(number)).values(status=status))
            return _find(connection, customer, number)

        return await self._store.write(change)


def _open(connection: Connection, wanted: NewTicket) -> Ticket:
    lock_table(connection, tickets)
    known = connection.execute(select(tickets).where(tickets.c.key == wanted.key)).mappings().first()
    if known is None:
        number, now = _next_number(connection), datetime.now(UTC)
        row = {
            "number": number,
            "customer": wanted.customer,
            "conversation": wanted.conversation,
            "subject": wanted.subject[:SUBJECT_CHARS],
            "category": wanted.category[:40],
            "priority": wanted.priority,
            "status": TicketStatus.OPEN,
            "opened": now,
            "updated": now,
            "key": wanted.key,
        }
        connection.execute(insert(tickets).values(row))
        if wanted.text:
            _insert_note(connection, number, Note(at=now, by=Speaker.CUSTOMER, text=wanted.text), wanted.key)
        known = connection.execute(select(tickets).where(tickets.c.number == number)).mappings().one()
    return _read(known, _notes(connection, known["number"]))


def _next_number(connection: Connection) -> int:
    last: int | None = connection.execute(select(func.max(tickets.c.number))).scalar()
    return FIRST if last is None else last + 1


def _add(connection: Connection, whose: tuple[str, TicketNumber], note: Note, key: str) -> Ticket | None:
    lock_table(connection, ticket_notes)
    found = _find(connection, *whose)
    if found is None:
        return None
    number = _plain(found.number)
    known = select(ticket_notes.c.place).where(ticket_notes.c.ticket == number, ticket_notes.c.key == key)
    if connection.execute(known).first() is None:
        if len(found.notes) >= MOST_NOTES:
            raise ToolRefused(f"Ticket {found.number} cannot take more notes. A colleague can help you further.")
        if found.status is TicketStatus.CLOSED and note.by is Speaker.CUSTOMER:
            raise ToolRefused(f"Ticket {found.number} is closed. I can open a new one for you.")
        _insert_note(connection, number, note, key)
        values: dict[str, Any] = {"updated": note.at}
        if note.by is Speaker.CUSTOMER:
            values["status"] = TicketStatus.OPEN
        connection.execute(update(tickets).where(tickets.c.number == number).values(values))
    return _find(connection, *whose)


def _insert_note(connection: Connection, number: int, note: Note, key: str) -> None:
    place = select(func.count()).where(ticket_notes.c.ticket == number)
    row = {
        "ticket": number,
        "place": (connection.execute(place).scalar() or 0) + 1,
        "at": note.at,
        "by": note.by,
        "text": note.text[:NOTE_CHARS],
        "key": key,
    }
    connection.execute(insert(ticket_notes).values(row))


def _expire(connection: Connection, before: datetime) -> int:
    done = tickets.c.status.in_((TicketStatus.SOLVED, TicketStatus.CLOSED))
    over = [number for (number,) in connection.execute(select(tickets.c.number).where(done, tickets.c.updated < before))]
    for start in range(0, len(over), AT_ONCE):
        some = over[start : start + AT_ONCE]
        connection.execute(delete(ticket_notes).where(ticket_notes.c.ticket.in_(some)))
        connection.execute(delete(tickets).where(tickets.c.number.in_(some)))
    return len(over)


def _find(connection: Connection, customer: str, number: TicketNumber) -> Ticket | None:
    if not TICKET.match(number):
        return None
    query = select(tickets).where(tickets.c.number == _plain(number), tickets.c.customer == customer)
    row = connection.execute(query).mappings().first()
    return _read(row, _notes(connection, row["number"])) if row else None


def _notes(connection: Connection, number: int) -> tuple[Note, ...]:
    query = select(ticket_notes).where(ticket_notes.c.ticket == number).order_by(ticket_notes.c.place)
    rows = connection.execute(query).mappings()
    return tuple(Note(at=row["at"], by=Speaker(row["by"]), text=row["text"]) for row in rows)


def _plain(number: TicketNumber) -> int:
    return int(number.removeprefix(PREFIX))


def _read(row: RowMapping, notes: tuple[Note, ...] = ()) -> Ticket:
    fields: dict[str, Any] = {name: row[name] for name in row if name != "key"}
    fields["number"] = TicketNumber(f"{PREFIX}{row['number']}")
    fields["priority"], fields["status"] = Priority(row["priority"]), TicketStatus(row["status"])
    return Ticket(**fields, notes=notes)
