"""The tools: tickets with their history, the audit log of every tool call, and the demo company."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0007"  # which was there first

APPEND_ONLY = "the audit log is append-only"
TIME = sa.DateTime(timezone=True)
Json = sa.JSON().with_variant(JSONB(), "postgresql")
SMALL_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Build the tables, and let the database itself refuse to change what was recorded."""
    create_tickets()
    create_notes()
    create_calls()
    guard = guard_postgresql if op.get_bind().dialect.name == "postgresql" else guard_sqlite
    guard()
    create_accounts()
    create_invoices()
    create_visits()
    create_outages()


def create_tickets() -> None:
    """One row per ticket; a key opens one."""
    op.create_table(
        "tickets",
        sa.Column("number", SMALL_KEY, primary_key=True, autoincrement=False),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("priority", sa.String(16), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("opened", TIME, nullable=False),
        sa.Column("updated", TIME, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.CheckConstraint("priority IN ('low', 'normal', 'high', 'urgent')", name="priority_listed"),
        sa.CheckConstraint("status IN ('open', 'waiting', 'solved', 'closed')", name="status_listed"),
        sa.UniqueConstraint("key", name="one_ticket_per_key"),
    )
    op.create_index("tickets_of_customer", "tickets", ["customer", "updated"])


def create_notes() -> None:
    """The history of the tickets."""
    op.create_table(
        "ticket_notes",
        sa.Column("ticket", sa.BigInteger, sa.ForeignKey("tickets.number"), nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("by", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.CheckConstraint("\"by\" IN ('customer', 'bot', 'agent', 'system')", name="by_listed"),
        sa.PrimaryKeyConstraint("ticket", "place", name="notes_in_order"),
        sa.UniqueConstraint("ticket", "key", name="one_note_per_key"),
    )


def create_calls() -> None:
    """One row per call or refusal."""
    op.create_table(
        "tool_calls",
        sa.Column("id", SMALL_KEY, primary_key=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("account", sa.Text),
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("asker", sa.String(16), nullable=False),
        sa.Column("ruling", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("took_ms", sa.Double, nullable=False),
        sa.CheckConstraint(
            "ruling IN ('done', 'proposed', 'confirmed', 'refused', 'failed')",
            name="ruling_listed",
        ),
    )
    op.create_index("calls_of_conversation", "tool_calls", ["conversation", "id"])
    op.create_index("calls_of_key", "tool_calls", ["key", "ruling"])


def guard_sqlite() -> None:
    """Triggers that refuse."""
    op.execute(
        f"CREATE TRIGGER tool_calls_never_change BEFORE UPDATE ON tool_calls BEGIN SELECT RAISE(ABORT, '{APPEND_ONLY}'); END"
    )


def guard_postgresql() -> None:
    """The same; a row may be deleted, which retention needs, never changed."""
    op.execute(
        "CREATE FUNCTION refuse_changed_call() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{APPEND_ONLY}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER tool_calls_never_change BEFORE UPDATE ON tool_calls "
        "FOR EACH ROW EXECUTE FUNCTION refuse_changed_call()"
    )


def create_accounts() -> None:
    """One row per customer of the demo company; its lines as JSON."""
    op.create_table(
        "office_accounts",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("phone", sa.Text, nullable=False),
        sa.Column("postcode", sa.Text, nullable=False),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("lines", Json, nullable=False),
    )


def create_invoices() -> None:
    """One row per bill; its charges as JSON."""
    op.create_table(
        "office_invoices",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("issued", sa.Date, nullable=False),
        sa.Column("due", sa.Date, nullable=False),
        sa.Column("is_paid", sa.Boolean, nullable=False),
        sa.Column("charges", Json, nullable=False),
    )
    op.create_index("invoices_of_account", "office_invoices", ["account", "issued"])


def create_visits() -> None:
    """One row per engineer visit, and the changes that were made under which key."""
    op.create_table(
        "office_visits",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("start_hour", sa.Integer, nullable=False),
        sa.Column("end_hour", sa.Integer, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("engineer", sa.Text, nullable=False),
        sa.Column("changes", sa.Integer, nullable=False),
    )
    op.create_index("visits_of_account", "office_visits", ["account", "day"])
    op.create_index("visits_of_area", "office_visits", ["area", "day"])
    op.create_table(
        "office_changes",
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("visit", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("account", "key", name="one_change_per_key"),
    )


def create_outages() -> None:
    """One row per fault or planned work in an area."""
    op.create_table(
        "office_outages",
        sa.Column("number", sa.Text, primary_key=True),
        sa.Column("area", sa.Text, nullable=False),
        sa.Column("service", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("began", TIME, nullable=False),
        sa.Column("expected", TIME),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_index("outages_of_area", "office_outages", ["area"])
