"""How long each call of a language model took."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0004"


def upgrade() -> None:
    """Add the two times, in milliseconds; null for calls from before and where none were taken."""
    op.add_column("usage", sa.Column("first_token_ms", sa.Double))
    op.add_column("usage", sa.Column("took_ms", sa.Double))
