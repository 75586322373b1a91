"""What is known about customers beyond one conversation."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0009"  # which was there first


def upgrade() -> None:
    """Build the table."""
    op.create_table(
        "profile_facts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("trait", sa.String(16), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("trait IN ('name', 'plan', 'device', 'preference', 'issue')", name="trait_listed"),
        sa.UniqueConstraint("customer", "trait", "key", name="known_once"),
    )
    op.create_index("profile_facts_by_time", "profile_facts", ["at"])
