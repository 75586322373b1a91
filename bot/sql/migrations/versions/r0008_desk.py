"""The desk: staff, who is on, offers, escalations and what webhooks are still to be told."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0005"

MOMENT = sa.DateTime(timezone=True)
JSON = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Build the five tables."""
    create_staff()
    create_presence_and_offers()
    create_escalations()
    create_deliveries()


def create_staff() -> None:
    """One row per account; `epoch` is counted up when a password changes."""
    op.create_table(
        "staff",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("teams", JSON, nullable=False),
        sa.Column("skills", JSON, nullable=False),
        sa.Column("capacity", sa.Integer, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.CheckConstraint("role IN ('agent', 'developer', 'admin')", name="role_listed"),
    )


def create_presence_and_offers() -> None:
    """One row per agent: `beat` is counted up while a page is open. One row per conversation that was offered last."""
    op.create_table(
        "desk_presence",
        sa.Column("agent", sa.Text, primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "desk_offers",
        sa.Column("conversation", sa.Text, primary_key=True),
        sa.Column("queued", sa.BigInteger, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("tried", JSON, nullable=False),
    )


def create_escalations() -> None:
    """One row per time that people were needed, known by the entry that said so."""
    op.create_table(
        "escalations",
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("triggered", MOMENT, nullable=False),
        sa.Column("claimed", MOMENT),
        sa.Column("replied", MOMENT),
        sa.Column("ended", MOMENT),
        sa.Column("agent", sa.Text),
        sa.Column("outcome", sa.Text),
        sa.Column("rating", sa.Integer),
        sa.PrimaryKeyConstraint("conversation", "seq", name="one_escalation_an_entry"),
    )
    op.create_index("escalations_by_claim", "escalations", ["claimed"])
    is_open = sa.text("ended IS NULL")
    op.create_index("escalations_open", "escalations", ["conversation"], sqlite_where=is_open, postgresql_where=is_open)


def create_deliveries() -> None:
    """One row per event and target; `due` is null once it was delivered or given up."""
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("target", sa.String(16), nullable=False),
        sa.Column("body", JSON, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("due", MOMENT),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", "target", name="one_delivery_a_target"),
    )
    is_due = sa.text("due IS NOT NULL")
    op.create_index("webhook_deliveries_due", "webhook_deliveries", ["due"], sqlite_where=is_due, postgresql_where=is_due)
