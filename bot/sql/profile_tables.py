"""The table of what is known about customers; an erasure covers it by its column `customer`."""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, UniqueConstraint

from bot.profile import Trait
from bot.sql.tables import UtcTime, metadata, one_of

profile_facts = Table(
    "profile_facts",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("customer", Text, nullable=False),
    Column("trait", String(16), nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("conversation", Text, nullable=False),
    Column("entry", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
    one_of("trait", Trait),
    UniqueConstraint("customer", "trait", "key", name="known_once"),
    Index("profile_facts_by_time", "at"),
)
