"""The log's tables, and how a row becomes a noun; the migrations build what is described here."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    RowMapping,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from bot.domain import Conversation, Entry, Holder, Kind, Speaker


class UtcTime(TypeDecorator[datetime]):
    """A moment in UTC with its time zone, also on SQLite, which keeps none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """The moment as stored."""
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """The moment as read."""
        if value is None:
            return None
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """A closed list that the database itself keeps."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_listed")


metadata = MetaData()

conversations = Table(
    "conversations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("customer", Text, nullable=False),
    Column("holder", String(16), nullable=False),
    Column("title", Text, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("started", UtcTime, nullable=False),
    Column("updated", UtcTime, nullable=False),
    Column("agent", Text),
    one_of("holder", Holder),
    Index("conversations_of_customer", "customer", "updated"),
)

Index(
    "conversations_with_people",
    conversations.c.holder,
    conversations.c.updated,
    sqlite_where=text("holder IN ('queue', 'agent')"),
    postgresql_where=text("holder IN ('queue', 'agent')"),
)

entries = Table(
    "entries",
    metadata,
    Column("conversation", Text, ForeignKey("conversations.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("id", Text, nullable=False),
    Column("speaker", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("data", JSON().with_variant(JSONB(), "postgresql"), nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("client_id", Text),
    Column("answers", BigInteger),
    PrimaryKeyConstraint("conversation", "seq", name="entries_in_order"),
    CheckConstraint("seq >= 1", name="seq_counts_from_one"),
    CheckConstraint("answers < seq", name="answers_an_earlier_entry"),
    one_of("speaker", Speaker),
    one_of("kind", Kind),
    Index("entries_by_id", "id", unique=True),
)
Index(
    "one_entry_per_client_id",
    entries.c.conversation,
    entries.c.client_id,
    unique=True,
    sqlite_where=text("client_id IS NOT NULL"),
    postgresql_where=text("client_id IS NOT NULL"),
)
Index(
    "one_answer_per_entry",
    entries.c.conversation,
    entries.c.answers,
    unique=True,
    sqlite_where=text("answers IS NOT NULL"),
    postgresql_where=text("answers IS NOT NULL"),
)

Index(
    "replies_by_time",
    entries.c.at,
    entries.c.id,
    sqlite_where=text("answers IS NOT NULL"),
    postgresql_where=text("answers IS NOT NULL"),
)

Index(
    "feedback_by_time",
    entries.c.at,
    sqlite_where=text("kind = 'feedback'"),
    postgresql_where=text("kind = 'feedback'"),
)

Index("conversations_by_time", conversations.c.updated)

# The customers' messages that no entry answers yet: written in the same transaction as the entries, so that finding the
# open ones at start costs what is open and not what was ever said.
waiting = Table(
    "waiting",
    metadata,
    Column("conversation", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    PrimaryKeyConstraint("conversation", "seq", name="waiting_in_order"),
    ForeignKeyConstraint(["conversation", "seq"], ["entries.conversation", "entries.seq"], name="waiting_is_an_entry"),
)

# What each call of a language model took. No foreign key: its check would lock the conversation against the log's writer.
usage = Table(
    "usage",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("customer", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("at", UtcTime, nullable=False),
    Column("provider", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt_tokens", BigInteger),
    Column("completion_tokens", BigInteger),
    Column("estimated", Boolean, nullable=False),
    Column("cost", Double),
    Column("first_token_ms", Double),
    Column("took_ms", Double),
    Index("usage_of_day", "day", "customer"),
)

allowances = Table(
    "allowances",
    metadata,
    Column("customer", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    PrimaryKeyConstraint("customer", "day", name="one_allowance_a_day"),
)


def read_entry(row: RowMapping) -> Entry:
    """The entry of a row of `entries`."""
    fields: dict[str, Any] = dict(row)
    fields["speaker"], fields["kind"] = Speaker(fields["speaker"]), Kind(fields["kind"])
    return Entry(**fields)


def read_conversation(row: RowMapping) -> Conversation:
    """The conversation of a row of `conversations`."""
    fields: dict[str, Any] = dict(row)
    fields["holder"] = Holder(fields["holder"])
    return Conversation(**fields)
