"""The audit log in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, delete, insert, select

from bot.audit import CallRecord, Ruling
from bot.domain import ConversationId
from bot.sql.store import Store
from bot.sql.tool_tables import tool_calls


class SqlAudit:
    """An audit log in a store; not closed with it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def record(self, call: CallRecord) -> None:
        """See Audit."""
        row = asdict(call)
        await self._store.write(lambda connection: connection.execute(insert(tool_calls).values(row)))

    async def is_begun(self, key: str) -> bool:
        """See Audit."""
        query = select(tool_calls.c.id).where(tool_calls.c.key == key, tool_calls.c.ruling == Ruling.CONFIRMED).limit(1)
        return await self._store.read(lambda connection: connection.execute(query).first() is not None)

    async def expire(self, before: datetime) -> int:
        """See Audit."""
        query = delete(tool_calls).where(tool_calls.c.at < before)
        return await self._store.write(lambda connection: connection.execute(query).rowcount)

    async def calls(self, conversation: ConversationId) -> Sequence[CallRecord]:
        """See Audit."""
        query = select(tool_calls).where(tool_calls.c.conversation == conversation).order_by(tool_calls.c.id)
        return await self._store.read(lambda connection: [_read(row) for row in connection.execute(query).mappings()])


def _read(row: RowMapping) -> CallRecord:
    fields: dict[str, Any] = {name: row[name] for name in row if name != "id"}
    fields["ruling"] = Ruling(fields["ruling"])
    return CallRecord(**fields)
