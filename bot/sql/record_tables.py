"""The table of spent tokens."""

from sqlalchemy import Column, Index, Table, Text

from bot.sql.tables import UtcTime, metadata

spent_tokens = Table(
    "spent_tokens",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", UtcTime, nullable=False),
    Column("until", UtcTime, nullable=False),
    Index("spent_tokens_by_time", "at"),
)
