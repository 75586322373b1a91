"""Alembic's entry: runs the steps in the transaction that `bot.sql.database` has opened."""

from alembic import context

from bot.sql.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
