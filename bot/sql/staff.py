"""The accounts of the staff in the database."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.domain import AgentId
from bot.errors import StaffInvalid
from bot.sql.desk_tables import presence, staff
from bot.sql.draft import is_storable_id
from bot.sql.store import Store
from bot.staff import Agent, Role


class SqlStaff:
    """Accounts in a store; not closed with it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def add(self, agent: Agent) -> None:
        """See Staff."""

        def work(connection: Connection) -> None:
            try:
                connection.execute(insert(staff).values(_row(agent)))
            except IntegrityError:
                raise StaffInvalid(f"there is an account {agent.id!r} already") from None

        await self._store.write(work)

    async def agent(self, id: AgentId) -> Agent | None:
        """See Staff."""
        if not is_storable_id(id):
            return None
        query = select(staff).where(staff.c.id == id)
        row = await self._store.read(lambda connection: connection.execute(query).mappings().first())
        return _read(row) if row else None

    async def agents(self) -> Sequence[Agent]:
        """See Staff."""
        query = select(staff).order_by(staff.c.id)
        return await self._store.read(lambda connection: [_read(row) for row in connection.execute(query).mappings()])

    async def change(self, agent: Agent) -> None:
        """See Staff."""
        changed = update(staff).where(staff.c.id == agent.id).values({**_row(agent), "epoch": staff.c.epoch + 1})
        await self._store.write(lambda connection: connection.execute(changed))

    async def remove(self, id: AgentId) -> None:
        """See Staff."""

        def work(connection: Connection) -> None:
            connection.execute(delete(staff).where(staff.c.id == id))
            connection.execute(delete(presence).where(presence.c.agent == id))

        if is_storable_id(id):
            await self._store.write(work)


def _row(agent: Agent) -> dict[str, Any]:
    return {**asdict(agent), "teams": list(agent.teams), "skills": list(agent.skills)}


def _read(row: RowMapping) -> Agent:
    fields: dict[str, Any] = dict(row)
    fields["role"] = Role(fields["role"])
    fields["teams"], fields["skills"] = tuple(fields["teams"]), tuple(fields["skills"])
    return Agent(**fields)
