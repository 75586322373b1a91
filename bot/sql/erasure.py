"""One person's data in the database: all of it told, or all of it taken out.

A table that names a customer or a conversation is covered by having a column of that name; those added later are too.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, String, Table, cast, delete, literal, or_, select, update

from bot.domain import CustomerId, Holder
from bot.records import ERASED, ERASED_DATA, Erased
from bot.sql import profile_tables  # noqa: F401  so that its tables are among the known ones
from bot.sql.desk_tables import deliveries
from bot.sql.tables import conversations, entries, metadata, usage
from bot.sql.tool_tables import ticket_notes, tickets
from bot.tickets import of_account

CHUNK = 200
"""Conversations in one statement."""
KEPT_ROWS = {conversations, entries, usage}
"""Rows that stay without what they said: the log's numbering and the sums of what models cost rest on them."""
BY_COLUMN = [
    table
    for table in reversed(metadata.sorted_tables)
    if {"customer", "conversation"} & set(table.c.keys()) and table not in KEPT_ROWS
]

TOUCHED = sorted({table.name for table in (*BY_COLUMN, *KEPT_ROWS, ticket_notes, deliveries)})
"""The tables that an erasure may change."""


def tell_all(connection: Connection, customer: CustomerId) -> dict[str, Any]:
    """Every row about the customer, by table; the conversations with their entries."""
    ids = _conversations_of(connection, customer)
    told: dict[str, Any] = {
        table.name: found for table in (*BY_COLUMN, usage) if (found := _rows(connection, table, customer, ids))
    }
    if "tickets" in told:
        numbers = ticket_notes.c.ticket.in_([row["number"] for row in told["tickets"]])
        told["ticket_notes"] = [plain_row(row) for row in connection.execute(select(ticket_notes).where(numbers)).mappings()]
    held = connection.execute(select(conversations).where(conversations.c.customer == customer)).mappings()
    told["conversations"] = [{**plain_row(row), "entries": _entries(connection, row["id"])} for row in held]
    return told


def empty_out(connection: Connection, customer: CustomerId) -> Erased:
    """Take the customer out of every table, in the connection's transaction."""
    ids = _conversations_of(connection, customer)
    emptied = 0
    for some in _chunks(ids):
        emptied += connection.execute(
            update(entries).where(entries.c.conversation.in_(some)).values(text="", data=ERASED_DATA, client_id=None)
        ).rowcount
    for some in _chunks(ids) or [[]]:
        _delete_rows(connection, customer, some)
    for id in ids:
        nobody = {"customer": ERASED + uuid4().hex, "title": "", "holder": Holder.CLOSED, "agent": None}
        connection.execute(update(conversations).where(conversations.c.id == id).values(nobody))
        connection.execute(delete(deliveries).where(cast(deliveries.c.body, String).contains(id, autoescape=True)))
    connection.execute(update(usage).where(usage.c.customer == customer).values(customer=ERASED))
    return Erased(conversations=len(ids), entries=emptied)


def _delete_rows(connection: Connection, customer: CustomerId, ids: Sequence[str]) -> None:
    theirs = select(tickets.c.number).where(_about(tickets, customer, ids))
    connection.execute(delete(ticket_notes).where(ticket_notes.c.ticket.in_(theirs)))
    for table in BY_COLUMN:
        connection.execute(delete(table).where(_about(table, customer, ids)))


def _about(table: Table, customer: CustomerId, ids: Sequence[str]) -> ColumnElement[bool]:
    clauses: list[ColumnElement[bool]] = [literal(False)]
    if "customer" in table.c:
        clauses.append(table.c.customer.in_((customer, of_account(customer))))
    if "conversation" in table.c and ids:
        clauses.append(table.c.conversation.in_(ids))
    return or_(*clauses)


def _conversations_of(connection: Connection, customer: CustomerId) -> list[str]:
    query = select(conversations.c.id).where(conversations.c.customer == customer).order_by(conversations.c.id)
    return list(connection.execute(query.with_for_update()).scalars())


def _rows(connection: Connection, table: Table, customer: CustomerId, ids: Sequence[str]) -> list[dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for some in _chunks(ids) or [[]]:
        for row in connection.execute(select(table).where(_about(table, customer, some))).mappings():
            found[tuple(str(row[column.name]) for column in table.primary_key)] = plain_row(row)
    return list(found.values())


def _entries(connection: Connection, conversation: str) -> list[dict[str, Any]]:
    said = select(entries).where(entries.c.conversation == conversation).order_by(entries.c.seq)
    return [plain_row(row) for row in connection.execute(said).mappings()]


def plain_row(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as JSON can hold it."""
    return {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in row.items()}


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
