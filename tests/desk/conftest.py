"""The desk's stores: SQLite, and a PostgreSQL server that is found or started, as for the log."""

from tests.bot.conftest import log, postgres_schema, postgres_url, store

__all__ = ["log", "postgres_schema", "postgres_url", "store"]
