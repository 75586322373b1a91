"""What is SQLite's own: the file, its pragmas, and its failures in words that say what to do."""

import sqlite3
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event

from bot.errors import LogCorrupt, LogUnavailable, MessageUnreadable

FILE_NAME = "frontdesk.db"
LOCK_SECONDS = 2.5
"""How long a writer waits for another process's lock."""

# Longest prefix first: SQLite refines its codes (SQLITE_IOERR_FSYNC, SQLITE_READONLY_DIRECTORY).
REMEDIES = {
    "SQLITE_BUSY": "is locked by another process; end that process, or wait until it is done",
    "SQLITE_LOCKED": "is locked by another process; end that process, or wait until it is done",
    "SQLITE_FULL": "cannot grow because the disk is full; free some space",
    "SQLITE_READONLY": "is read-only; let this process write it and its folder, or set DATA_DIR to a folder it may write",
    "SQLITE_CANTOPEN": "cannot be opened; set DATA_DIR to a folder that this process may write",
    "SQLITE_IOERR": "cannot be read or written; see whether the disk is full, failing or gone",
}
DAMAGED = "is damaged or not a database; move it away and restore a backup (without one, Frontdesk starts empty)"


def open_sqlite(data_dir: Path, connections: int) -> Engine:
    """An engine for the file in `data_dir`, which only its owner may read. Raises LogUnavailable."""
    path = data_dir / FILE_NAME
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as failure:
        remedy = "set DATA_DIR to a folder that this process may write"
        raise LogUnavailable(f"{path} cannot be opened ({failure.strerror}); {remedy}") from None
    engine = create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": LOCK_SECONDS},
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
    )
    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def prepare(connection: sqlite3.Connection, _record: object) -> None:
    """Durable at every commit, readers beside the writer, and transactions begun by us instead of by the driver."""
    connection.isolation_level = None
    # recursive_triggers: else INSERT OR REPLACE deletes behind the back of the trigger that refuses deletion.
    # secure_delete: what is erased is overwritten, not only let go of.
    pragmas = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "recursive_triggers=ON", "secure_delete=ON")
    for pragma in pragmas:
        connection.execute(f"PRAGMA {pragma}")


def begin(connection: Connection) -> None:
    """Writers take the lock at once, so that what they read is still so when they write; a single query needs nothing."""
    if connection.get_execution_options().get("writes"):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def explain_sqlite(failure: sqlite3.Error, name: str) -> LogUnavailable | MessageUnreadable:
    """What is the matter with the file `name`, and what to do."""
    code = getattr(failure, "sqlite_errorname", type(failure).__name__)
    if isinstance(failure, sqlite3.DataError):
        return MessageUnreadable()
    if code.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return LogCorrupt(f"{name} {DAMAGED} [{code}]")
    remedy = next((words for prefix, words in REMEDIES.items() if code.startswith(prefix)), "cannot be used")
    return LogUnavailable(f"{name} {remedy} [{code}]")
