"""The conversation log: conversations, entries that are only ever appended, and what waits for an answer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

MOMENT = sa.DateTime(timezone=True)
REFUSAL = "entries are append-only"
SQLITE_GUARD = "CREATE TRIGGER entries_refuse_{0} BEFORE {0} ON entries BEGIN SELECT RAISE(ABORT, '{1}'); END"
POSTGRESQL_REFUSAL = """
CREATE FUNCTION entries_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{}' USING ERRCODE = 'integrity_constraint_violation'; END $$"""
POSTGRESQL_GUARD = (
    "CREATE TRIGGER entries_refuse_{0} BEFORE {0} ON entries FOR EACH STATEMENT EXECUTE FUNCTION entries_refuse_change()"
)


def upgrade() -> None:
    """Build the three tables and close `entries` to changes."""
    create_conversations()
    create_entries()
    create_waiting()
    refuse_changes()


def create_conversations() -> None:
    """One row per conversation; `last_seq` is the counter that its entries are numbered by."""
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("customer", sa.Text, nullable=False),
        sa.Column("holder", sa.String(16), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("started", MOMENT, nullable=False),
        sa.Column("updated", MOMENT, nullable=False),
        sa.CheckConstraint("holder IN ('bot', 'queue', 'agent', 'closed')", name="holder_listed"),
    )
    op.create_index("conversations_of_customer", "conversations", ["customer", "updated"])


def create_entries() -> None:
    """One row per entry, numbered within its conversation."""
    op.create_table(
        "entries",
        sa.Column("conversation", sa.Text, sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("speaker", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("data", sa.JSON().with_variant(JSONB(), "postgresql"), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("client_id", sa.Text),
        sa.Column("answers", sa.BigInteger),
        sa.PrimaryKeyConstraint("conversation", "seq", name="entries_in_order"),
        sa.CheckConstraint("seq >= 1", name="seq_counts_from_one"),
        sa.CheckConstraint("answers < seq", name="answers_an_earlier_entry"),
        sa.CheckConstraint("speaker IN ('customer', 'bot', 'agent', 'system')", name="speaker_listed"),
        sa.CheckConstraint("kind IN ('message', 'notice', 'feedback')", name="kind_listed"),
    )
    op.create_index("entries_by_id", "entries", ["id"], unique=True)
    unique_where_given("one_entry_per_client_id", "client_id")
    unique_where_given("one_answer_per_entry", "answers")


def unique_where_given(name: str, column: str) -> None:
    """A value that a conversation has at most once; absence does not count and takes no room in the index."""
    given = sa.text(f"{column} IS NOT NULL")
    op.create_index(name, "entries", ["conversation", column], unique=True, sqlite_where=given, postgresql_where=given)


def create_waiting() -> None:
    """The customers' messages that nothing answers yet."""
    op.create_table(
        "waiting",
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "seq", name="waiting_in_order"),
        sa.ForeignKeyConstraint(
            ["conversation", "seq"], ["entries.conversation", "entries.seq"], name="waiting_is_an_entry"
        ),
    )


def refuse_changes() -> None:
    """Triggers that refuse to change, delete or truncate entries, whoever asks."""
    if op.get_bind().dialect.name == "sqlite":
        statements = [SQLITE_GUARD.format(change, REFUSAL) for change in ("UPDATE", "DELETE")]
    else:
        guards = [POSTGRESQL_GUARD.format(change) for change in ("UPDATE", "DELETE", "TRUNCATE")]
        statements = [POSTGRESQL_REFUSAL.format(REFUSAL), *guards]
    for statement in statements:
        op.execute(statement)
