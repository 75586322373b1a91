"""The desk's tables: staff, who is on, offers, escalations and webhooks; the migrations build what is described here."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, PrimaryKeyConstraint, String, Table, Text, text

import bot.sql.profile_tables  # noqa: F401  (whoever knows the desk's tables knows this one too)
from bot.sql.tables import UtcTime, metadata, one_of
from bot.sql.tool_tables import Json
from bot.staff import Role

staff = Table(
    "staff",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("teams", Json, nullable=False),
    Column("skills", Json, nullable=False),
    Column("capacity", Integer, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("epoch", Integer, nullable=False),
    one_of("role", Role),
)

presence = Table(
    "desk_presence",
    metadata,
    Column("agent", Text, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("beat", BigInteger, nullable=False),
)

offers = Table(
    "desk_offers",
    metadata,
    Column("conversation", Text, primary_key=True),
    Column("queued", BigInteger, nullable=False),
    Column("round", Integer, nullable=False),
    Column("agent", Text, nullable=False),
    Column("tried", Json, nullable=False),
)

escalations = Table(
    "escalations",
    metadata,
    Column("conversation", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("customer", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("triggered", UtcTime, nullable=False),
    Column("claimed", UtcTime),
    Column("replied", UtcTime),
    Column("ended", UtcTime),
    Column("agent", Text),
    Column("outcome", Text),
    Column("rating", Integer),
    PrimaryKeyConstraint("conversation", "seq", name="one_escalation_an_entry"),
    Index("escalations_by_claim", "claimed"),
    Index("escalations_open", "conversation", sqlite_where=text("ended IS NULL"), postgresql_where=text("ended IS NULL")),
)

deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Text, nullable=False),
    Column("target", String(16), nullable=False),
    Column("body", Json, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", UtcTime),
    Column("error", Text, nullable=False),
    PrimaryKeyConstraint("id", "target", name="one_delivery_a_target"),
    Index("webhook_deliveries_due", "due", sqlite_where=text("due IS NOT NULL"), postgresql_where=text("due IS NOT NULL")),
)
