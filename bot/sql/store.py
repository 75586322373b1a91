"""A database for what is not the log: a few threads, work in one transaction each, and an end to waiting."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, Table, text

from bot.errors import LogUnavailable
from bot.sql.database import Database, open_database

T = TypeVar("T")
Work = Callable[[Connection], T]
READERS = 2
PATIENCE_SECONDS = 6.0


class Store:
    """Runs work on the database in threads; writers of this process go one after the other."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="store-writer")

    async def read(self, work: Work[T]) -> T:
        """What the work reads. Raises LogUnavailable."""
        return await self._run(self._readers, partial(self._reading, work))

    async def write(self, work: Work[T]) -> T:
        """What the work returns once its transaction is on disk. Raises LogUnavailable; then nothing was stored.

        Unless the database fell silent during the commit itself: every change made here has a key and may be made again.
        """
        return await self._run(self._writer, partial(self._writing, work))

    async def close(self) -> None:
        """Let work under way finish and release every connection."""
        await asyncio.to_thread(self._close)

    async def _run(self, threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await asyncio.get_running_loop().run_in_executor(threads, work)
        except TimeoutError:
            raise LogUnavailable(f"{self._database.name} did not answer within {PATIENCE_SECONDS:g} s") from None

    def _reading(self, work: Work[T]) -> T:
        with self._database.read() as connection:
            return work(connection)

    def _writing(self, work: Work[T]) -> T:
        with self._database.write() as connection:
            return work(connection)

    def _close(self) -> None:
        self._readers.shutdown()
        self._writer.shutdown()
        self._database.close()


def open_store(url: str | None, data_dir: Path) -> Store:
    """The store in the log's database; blocks while it migrates. Raises SettingsInvalid or LogUnavailable."""
    return Store(open_database(url, data_dir, connections=READERS + 1))


def lock_table(connection: Connection, table: Table) -> None:
    """Let nobody else write the table until the transaction ends; SQLite's writers are alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))
