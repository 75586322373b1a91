"""The tables of the tools: tickets, the audit log, and the demo company; the migrations build what is described here."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    Double,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB

from bot.audit import Ruling
from bot.domain import Speaker
from bot.sql.tables import UtcTime, metadata, one_of
from bot.tickets import Priority, TicketStatus

Json = JSON().with_variant(JSONB(), "postgresql")

tickets = Table(
    "tickets",
    metadata,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("customer", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("priority", String(16), nullable=False),
    Column("status", String(16), nullable=False),
    Column("opened", UtcTime, nullable=False),
    Column("updated", UtcTime, nullable=False),
    Column("key", Text, nullable=False),
    one_of("priority", Priority),
    one_of("status", TicketStatus),
    UniqueConstraint("key", name="one_ticket_per_key"),
    Index("tickets_of_customer", "customer", "updated"),
)

ticket_notes = Table(
    "ticket_notes",
    metadata,
    Column("ticket", BigInteger, ForeignKey("tickets.number"), nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("by", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("key", Text, nullable=False),
    one_of("by", Speaker),
    PrimaryKeyConstraint("ticket", "place", name="notes_in_order"),
    UniqueConstraint("ticket", "key", name="one_note_per_key"),
)

# No foreign keys: a call is recorded also where the conversation is unknown, and nothing may hinder it.
tool_calls = Table(
    "tool_calls",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("tool", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("customer", Text, nullable=False),
    Column("account", Text),
    Column("conversation", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("role", String(16), nullable=False),
    Column("asker", String(16), nullable=False),
    Column("ruling", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("took_ms", Double, nullable=False),
    one_of("ruling", Ruling),
    Index("calls_of_conversation", "conversation", "id"),
    Index("calls_of_key", "key", "ruling"),
)

office_accounts = Table(
    "office_accounts",
    metadata,
    Column("number", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("phone", Text, nullable=False),
    Column("postcode", Text, nullable=False),
    Column("since", Date, nullable=False),
    Column("lines", Json, nullable=False),
)

office_invoices = Table(
    "office_invoices",
    metadata,
    Column("number", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("issued", Date, nullable=False),
    Column("due", Date, nullable=False),
    Column("is_paid", Boolean, nullable=False),
    Column("charges", Json, nullable=False),
    Index("invoices_of_account", "account", "issued"),
)

office_visits = Table(
    "office_visits",
    metadata,
    Column("number", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("line", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("day", Date, nullable=False),
    Column("start_hour", Integer, nullable=False),
    Column("end_hour", Integer, nullable=False),
    Column("status", String(16), nullable=False),
    Column("engineer", Text, nullable=False),
    Column("changes", Integer, nullable=False),
    Index("visits_of_account", "account", "day"),
    Index("visits_of_area", "area", "day"),
)

office_outages = Table(
    "office_outages",
    metadata,
    Column("number", Text, primary_key=True),
    Column("area", Text, nullable=False),
    Column("service", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("began", UtcTime, nullable=False),
    Column("expected", UtcTime),
    Column("text", Text, nullable=False),
    Index("outages_of_area", "area"),
)

# The changes that were made, by key: the same key again changes nothing more.
office_changes = Table(
    "office_changes",
    metadata,
    Column("account", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("visit", Text, nullable=False),
    PrimaryKeyConstraint("account", "key", name="one_change_per_key"),
)
