"""What the desk looks for by time: customers' feedback for the report, and the conversations that go on now."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0006"


def upgrade() -> None:
    """Build the indexes; a large log takes them a moment."""
    feedback = sa.text("kind = 'feedback'")
    op.create_index("feedback_by_time", "entries", ["at"], sqlite_where=feedback, postgresql_where=feedback)
    op.create_index("conversations_by_time", "conversations", ["updated"])
