"""The profiles in the database."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, RowMapping, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain import ConversationId, CustomerId, EntryId
from bot.profile import MOST, Known, Profiles, Trait, has_profile, in_order
from bot.records import ERASED
from bot.sql.draft import UNSTORABLE, is_storable_id
from bot.sql.profile_tables import profile_facts as facts
from bot.sql.store import Store
from bot.sql.tables import conversations


class SqlProfiles(Profiles):
    """Profiles in a store; not closed with it. What was last said more than `days` ago is no longer told."""

    def __init__(self, store: Store, days: int) -> None:
        self._store, self._days = store, days

    async def profile(self, customer: CustomerId) -> Sequence[Known]:
        """See Profiles."""
        if not has_profile(customer) or not is_storable_id(customer):
            return []
        since = datetime.now(UTC) - timedelta(days=self._days)
        query = select(facts).where(facts.c.customer == customer, facts.c.at >= since)
        return in_order(await self._store.read(lambda c: [read_known(row) for row in c.execute(query).mappings()]))

    async def learn(self, customer: CustomerId, known: Sequence[Known]) -> None:
        """See Profiles."""
        storable = [one for one in known if not UNSTORABLE.search(one.value)]
        if storable and has_profile(customer) and is_storable_id(customer):
            await self._store.write(lambda connection: _learn(connection, customer, storable))

    async def forget(self, customer: CustomerId, trait: Trait | None = None) -> int:
        """See Profiles."""
        if not is_storable_id(customer):
            return 0
        query = delete(facts).where(facts.c.customer == customer)
        query = query if trait is None else query.where(facts.c.trait == trait)
        return await self._store.write(lambda connection: connection.execute(query).rowcount)

    async def expire(self, before: datetime) -> int:
        """See Profiles."""
        query = delete(facts).where(facts.c.at < before)
        return await self._store.write(lambda connection: connection.execute(query).rowcount)


def _learn(connection: Connection, customer: CustomerId, known: Sequence[Known]) -> None:
    gone = _erased(connection, {one.conversation for one in known})
    known = [one for one in known if one.conversation not in gone]
    if not known:
        return  # the customer was erased while a turn was on its way
    latest = {(one.trait, one.key): one for one in sorted(known, key=lambda one: one.at)}
    rows = [
        {
            "customer": customer,
            "trait": one.trait,
            "key": one.key,
            "value": one.value,
            "conversation": one.conversation,
            "entry": one.entry,
            "at": one.at,
        }
        for _, one in sorted(latest.items())  # every process in one order
    ]
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    new = insert(facts).values(rows)
    said = {name: new.excluded[name] for name in ("value", "conversation", "entry", "at")}
    is_later = facts.c.at <= new.excluded.at
    connection.execute(new.on_conflict_do_update(index_elements=["customer", "trait", "key"], set_=said, where=is_later))
    for trait in sorted({one.trait for one in known}):
        _drop_surplus(connection, customer, trait)


def _erased(connection: Connection, ids: set[ConversationId]) -> set[str]:
    """Those of the conversations whose customer was erased."""
    query = select(conversations.c.id).where(conversations.c.id.in_(ids), conversations.c.customer.startswith(ERASED))
    return set(connection.execute(query).scalars())


def _drop_surplus(connection: Connection, customer: CustomerId, trait: Trait) -> None:
    theirs = select(facts).where(facts.c.customer == customer, facts.c.trait == trait)
    if connection.execute(select(func.count()).select_from(theirs.subquery())).scalar_one() <= MOST[trait]:
        return
    rows = list(connection.execute(theirs).mappings())
    kept = {one.key for one in in_order([read_known(row) for row in rows])}
    surplus = [row["id"] for row in rows if row["key"] not in kept]
    connection.execute(delete(facts).where(facts.c.id.in_(surplus)))


def read_known(row: RowMapping) -> Known:
    """What a row says."""
    return Known(
        trait=Trait(row["trait"]),
        value=row["value"],
        conversation=ConversationId(row["conversation"]),
        entry=EntryId(row["entry"]),
        at=row["at"],
    )
