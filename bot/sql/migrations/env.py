"""Alembic's entry: runs the steps in the transaction that `bot.sql.database` has opened."""

from alembic import context

from bot.sql import tool_tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tool_tables.metadata)
with context.begin_transaction():
    context.run_migrations()
