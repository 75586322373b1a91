"""The log's database: opened, brought to the present shape, and its failures told as ours."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import psycopg
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from bot.errors import LogUnavailable, MessageUnreadable
from bot.sql.postgresql import explain_postgresql, name_of, open_postgresql, read_address
from bot.sql.sqlite import FILE_NAME, explain_sqlite, open_sqlite

MIGRATIONS = Path(__file__).parent / "migrations"
MIGRATION_LOCK = 4_711_002
"""PostgreSQL's advisory lock under which one process at a time brings the tables to shape."""

_migrating = Lock()  # Alembic's environment is one per process


class Database:
    """An SQLAlchemy engine, and a name fit for messages: a file, or host and database."""

    def __init__(self, engine: Engine, name: str) -> None:
        self.name = name
        self.is_server = engine.dialect.name == "postgresql"
        self._reading = engine.execution_options(isolation_level="AUTOCOMMIT") if self.is_server else engine
        self._writing = engine.execution_options(writes=True)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for single queries. Raises LogUnavailable."""
        with self._told(), self._reading.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection in a transaction, committed at the end. Raises LogUnavailable, or MessageUnreadable for a value."""
        with self._told(), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Release every connection."""
        self._writing.dispose()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as failure:
            raise explain(failure, self.name) from None  # the driver's text may quote what a customer wrote


def open_database(url: str | None, data_dir: Path, connections: int) -> Database:
    """The PostgreSQL database at `url`, or the SQLite file in `data_dir`, in its present shape.

    Raises SettingsInvalid for another sort of address, LogUnavailable or LogCorrupt when the database cannot be used.
    """
    if url:
        address = read_address(url)
        database = Database(open_postgresql(address, connections), name_of(address))
    else:
        database = Database(open_sqlite(data_dir, connections), str(data_dir / FILE_NAME))
    try:
        migrate(database)
    except LogUnavailable:
        database.close()
        raise
    return database


def migrate(database: Database) -> None:
    """Bring the tables to their present shape in one transaction; processes that start together do it in turn."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with _migrating, database.write() as connection:
        if database.is_server:
            connection.execute(text("SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '60s'"))
            connection.execute(text(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})"))
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as failure:
            remedy = "start the newest version of Frontdesk that used it"
            raise LogUnavailable(f"{database.name} is in the shape of another version ({failure}); {remedy}") from None


def explain(failure: SQLAlchemyError, name: str) -> LogUnavailable | MessageUnreadable:
    """The failure in our words: what is the matter with which database, and what to do."""
    cause = failure.orig if isinstance(failure, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        return explain_sqlite(cause, name)
    if isinstance(cause, psycopg.Error):
        return explain_postgresql(cause, name)
    return LogUnavailable(f"{name} cannot be used [{type(failure).__name__}]")
