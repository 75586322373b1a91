"""Alembic's entry: runs the steps in the transaction that `bot.sql.database` has opened."""

from alembic import context

from bot.sql import desk_tables  # which knows the log's and the tools' tables too

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=desk_tables.staff.metadata)
with context.begin_transaction():
    context.run_migrations()
