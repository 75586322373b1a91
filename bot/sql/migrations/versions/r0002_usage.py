"""The accounts: what each call of a language model took, and the sum of each customer's day."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Build the two tables."""
    create_usage()
    create_allowances()


def create_usage() -> None:
    """One row per call of a model; tokens or cost are null where nobody knows them."""
    op.create_table(
        "usage",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("prompt_tokens", sa.BigInteger),
        sa.Column("completion_tokens", sa.BigInteger),
        sa.Column("estimated", sa.Boolean, nullable=False),
        sa.Column("cost", sa.Double),
    )
    op.create_index("usage_of_day", "usage", ["day", "customer"])


def create_allowances() -> None:
    """One row per customer and day: the tokens of all rows of `usage`, and those set aside for calls under way."""
    op.create_table(
        "allowances",
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("customer", "day", name="one_allowance_a_day"),
    )
