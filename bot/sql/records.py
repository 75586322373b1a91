"""The records in the log's database."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, delete, exists, func, insert, or_, select, text, update

from bot.domain import Conversation, CustomerId
from bot.errors import LogUnavailable
from bot.records import ERASED, Erased, Wanted
from bot.sql.database import Database
from bot.sql.desk_tables import escalations
from bot.sql.draft import is_storable_id
from bot.sql.erasure import TOUCHED, empty_out, plain_row, tell_all
from bot.sql.record_tables import spent_tokens
from bot.sql.store import Store
from bot.sql.tables import conversations, entries, read_conversation, usage
from bot.sql.tool_tables import tickets
from bot.tickets import of_account

TRUNCATE_SECONDS = 20.0
"""How long an erasure waits for readers to leave the write-ahead log."""


class SqlRecords:
    """Records that share a log's database; closed with the log."""

    name = "conversations"

    def __init__(self, database: Database, store: Store) -> None:
        self._database, self._store = database, store

    async def search(self, wanted: Wanted) -> Sequence[Conversation]:
        """See Records."""
        query = _matching(wanted)
        return await self._store.read(lambda c: [read_conversation(row) for row in c.execute(query).mappings()])

    async def escalations(self, limit: int, before: datetime | None = None) -> Sequence[Mapping[str, Any]]:
        """See Records."""
        query = select(escalations).order_by(escalations.c.triggered.desc(), escalations.c.conversation).limit(limit)
        if before:
            query = query.where(escalations.c.triggered < before)
        return await self._store.read(lambda c: [plain_row(row) for row in c.execute(query).mappings()])

    async def claim(self, visitor: CustomerId, customer: CustomerId) -> int:
        """See Records."""
        if not (is_storable_id(visitor) and is_storable_id(customer)):
            return 0
        return await self._store.write(lambda connection: _claim(connection, visitor, customer))

    async def spend(self, token: str, until: datetime) -> bool:
        """See Records."""
        return await self._store.write(lambda connection: _spend(connection, token, until))

    async def spent(self, prefix: str, since: datetime) -> Sequence[str]:
        """See Records."""
        query = select(spent_tokens.c.id).where(
            spent_tokens.c.at >= since,
            spent_tokens.c.until > datetime.now(UTC),
            spent_tokens.c.id.startswith(prefix, autoescape=True),
        )
        return await self._store.read(lambda connection: list(connection.execute(query).scalars()))

    async def export(self, customer: CustomerId) -> Mapping[str, Any]:
        """Every row of every table that names the customer or one of their conversations."""
        if not is_storable_id(customer):
            return {}
        return await self._store.read(lambda connection: tell_all(connection, customer))

    async def erase(self, customer: CustomerId) -> Mapping[str, int]:
        """Empty the entries, let go of the conversations, and see that no byte stays behind in the files."""
        if not is_storable_id(customer) or customer.startswith(ERASED):
            return {"conversations": 0, "entries": 0}
        erased = await asyncio.to_thread(self._erase, customer)
        await asyncio.to_thread(self._scrub)
        return {"conversations": erased.conversations, "entries": erased.entries}

    def _erase(self, customer: CustomerId) -> Erased:
        with self._database.write() as connection:
            if self._database.is_server:
                connection.execute(text("SET LOCAL statement_timeout = '50s'"))
            return empty_out(connection, customer)

    def _scrub(self) -> None:
        """Both keep what was deleted in free pages, SQLite in the log beside the file too: all is written anew."""
        with self._database.read() as connection:
            if self._database.is_server:
                connection.execute(text("SET statement_timeout = '50s'"))
                for table in TOUCHED:
                    connection.execute(text(f"VACUUM FULL {table}"))
                connection.execute(text("RESET statement_timeout"))
                return
            _truncate(connection)
            connection.exec_driver_sql("VACUUM")
            _truncate(connection)


def _truncate(connection: Connection) -> None:
    until = time.monotonic() + TRUNCATE_SECONDS
    while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]:
        if time.monotonic() > until:
            raise LogUnavailable("what was erased is still in the write-ahead log, because somebody reads it: erase again")
        time.sleep(0.05)


def _matching(wanted: Wanted) -> Select[Any]:
    query = select(conversations).where(conversations.c.last_seq > 0)
    if wanted.customer is not None:
        query = query.where(conversations.c.customer == wanted.customer)
    if wanted.holder is not None:
        query = query.where(conversations.c.holder == wanted.holder)
    if wanted.text:
        said = func.lower(entries.c.text).contains(wanted.text.lower(), autoescape=True)
        query = query.where(exists().where(entries.c.conversation == conversations.c.id, said))
    if wanted.before is not None:
        at, id = wanted.before
        earlier = and_(conversations.c.updated == at, conversations.c.id > id)
        query = query.where(or_(conversations.c.updated < at, earlier))
    return query.order_by(conversations.c.updated.desc(), conversations.c.id).limit(wanted.limit)


def _claim(connection: Connection, visitor: CustomerId, customer: CustomerId) -> int:
    moved = connection.execute(
        update(conversations).where(conversations.c.customer == visitor).values(customer=customer)
    ).rowcount
    connection.execute(update(usage).where(usage.c.customer == visitor).values(customer=customer))
    connection.execute(update(tickets).where(tickets.c.customer == visitor).values(customer=of_account(customer)))
    return moved


def _spend(connection: Connection, token: str, until: datetime) -> bool:
    now = datetime.now(UTC)
    connection.execute(delete(spent_tokens).where(spent_tokens.c.until < now))
    if connection.dialect.name == "postgresql":
        connection.execute(text("LOCK TABLE spent_tokens IN SHARE ROW EXCLUSIVE MODE"))
    known = connection.execute(select(spent_tokens.c.id).where(spent_tokens.c.id == token)).first()
    if known is None:
        connection.execute(insert(spent_tokens).values(id=token, at=now, until=until))
    return known is None
