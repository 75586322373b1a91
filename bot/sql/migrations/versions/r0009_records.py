"""Records: tokens that are spent, and the one change of an entry that is allowed: to take everything out of it."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

MOMENT = sa.DateTime(timezone=True)
KEPT = ("conversation", "seq", "id", "speaker", "kind", "at")
MARKER = '{"erased": true}'
REFUSAL = "entries are append-only"


def upgrade() -> None:
    """Build the table and let the triggers through what takes a person out of the log, and nothing else."""
    op.create_table(
        "spent_tokens",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("until", MOMENT, nullable=False),
    )
    op.create_index("spent_tokens_by_time", "spent_tokens", ["at"])
    if op.get_bind().dialect.name == "sqlite":
        guard_sqlite()
    else:
        guard_postgresql()


def erasure(marker: str, same: str) -> str:
    """Whether an update empties an entry and changes nothing else: its place, its speaker and its time stay."""
    unchanged = [f"NEW.{column} = OLD.{column}" for column in KEPT] + [f"NEW.answers {same} OLD.answers"]
    return " AND ".join([*unchanged, "NEW.text = ''", f"NEW.data = {marker}", "NEW.client_id IS NULL"])


def guard_sqlite() -> None:
    """The trigger anew, with its exception."""
    op.execute("DROP TRIGGER entries_refuse_UPDATE")
    allowed = erasure(f"'{MARKER}'", "IS")
    op.execute(
        f"CREATE TRIGGER entries_refuse_UPDATE BEFORE UPDATE ON entries WHEN NOT ({allowed}) "
        f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    )


def guard_postgresql() -> None:
    """The same, row by row."""
    op.execute("DROP TRIGGER entries_refuse_update ON entries")
    allowed = erasure(f"'{MARKER}'::jsonb", "IS NOT DISTINCT FROM")
    op.execute(
        "CREATE TRIGGER entries_refuse_update BEFORE UPDATE ON entries FOR EACH ROW "
        f"WHEN (NOT ({allowed})) EXECUTE FUNCTION entries_refuse_change()"
    )
