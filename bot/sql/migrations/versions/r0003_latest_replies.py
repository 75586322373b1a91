"""The latest replies of all conversations, for the developers' pages: found by time without reading every entry."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Build the index; a large log takes it a moment."""
    settling = sa.text("answers IS NOT NULL")
    op.create_index("replies_by_time", "entries", ["at", "id"], sqlite_where=settling, postgresql_where=settling)
