"""People: which agent holds a conversation, notes and events among the entries, and an index of what people hold."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

KINDS = "kind IN ('message', 'notice', 'feedback', 'note', 'event')"
KINDS_BEFORE = "kind IN ('message', 'notice', 'feedback')"


def upgrade() -> None:
    """Add the column and the index, and let `entries` hold the new kinds."""
    op.add_column("conversations", sa.Column("agent", sa.Text))
    held = sa.text("holder IN ('queue', 'agent')")
    op.create_index(
        "conversations_with_people", "conversations", ["holder", "updated"], sqlite_where=held, postgresql_where=held
    )
    if op.get_bind().dialect.name == "sqlite":
        rebuild_entries()
    else:
        op.drop_constraint("kind_listed", "entries", type_="check")
        op.create_check_constraint("kind_listed", "entries", KINDS)


def rebuild_entries() -> None:
    """SQLite changes no constraint: the table is built anew, with its indexes and triggers; a large log takes a moment."""
    connection = op.get_bind()
    made = connection.execute(sa.text("SELECT type, sql FROM sqlite_master WHERE tbl_name = 'entries' AND sql IS NOT NULL"))
    statements = [(kind, str(sql)) for kind, sql in made]
    table = next(sql for kind, sql in statements if kind == "table").replace(KINDS_BEFORE, KINDS)
    connection.execute(sa.text("CREATE TEMPORARY TABLE waiting_kept AS SELECT conversation, seq FROM waiting"))
    connection.execute(sa.text("DELETE FROM waiting"))  # it refers to what is dropped
    connection.exec_driver_sql(table.replace("CREATE TABLE entries", "CREATE TABLE entries_anew", 1))
    connection.execute(sa.text("INSERT INTO entries_anew SELECT * FROM entries"))
    connection.execute(sa.text("DROP TABLE entries"))
    connection.execute(sa.text("ALTER TABLE entries_anew RENAME TO entries"))
    for kind, sql in statements:
        if kind != "table":
            connection.exec_driver_sql(sql)
    connection.execute(sa.text("INSERT INTO waiting SELECT conversation, seq FROM waiting_kept"))
    connection.execute(sa.text("DROP TABLE waiting_kept"))
