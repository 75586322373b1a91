"""The desk's records in the database."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain import AgentId, ConversationId, Kind, Speaker
from bot.roster import Comment, Delivery, EscalationRecord, Feedback, Offer, Presence, State, Thumb
from bot.sql.desk_tables import deliveries, escalations, offers, presence
from bot.sql.store import Store
from bot.sql.tables import entries

INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class SqlRoster:
    """A Roster in a store; not closed with it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def presences(self) -> Sequence[Presence]:
        """See Roster."""
        query = select(presence)
        return await self._store.read(lambda connection: [_presence(row) for row in connection.execute(query).mappings()])

    async def set_state(self, agent: AgentId, state: State) -> None:
        """See Roster."""
        row = {"agent": agent, "state": state, "since": datetime.now(UTC), "beat": 0}
        change = update(presence).where(presence.c.agent == agent, presence.c.state != state)

        def work(connection: Connection) -> None:
            connection.execute(INSERT[connection.dialect.name](presence).values(row).on_conflict_do_nothing())
            connection.execute(change.values(state=row["state"], since=row["since"]))

        await self._store.write(work)

    async def beat(self, agents: Sequence[AgentId]) -> None:
        """See Roster."""
        change = update(presence).where(presence.c.agent.in_(agents)).values(beat=presence.c.beat + 1)
        await self._store.write(lambda connection: connection.execute(change))

    async def offers(self) -> Sequence[Offer]:
        """See Roster."""
        query = select(offers)
        return await self._store.read(lambda connection: [_offer(row) for row in connection.execute(query).mappings()])

    async def offer(self, offer: Offer) -> bool:
        """See Roster."""
        row = {**asdict(offer), "tried": list(offer.tried)}
        before = (offers.c.queued < offer.queued) | (offers.c.round < offer.round)
        change = update(offers).where(offers.c.conversation == offer.conversation, offers.c.queued <= offer.queued, before)

        def work(connection: Connection) -> bool:
            first = INSERT[connection.dialect.name](offers).values(row).on_conflict_do_nothing()
            return bool(connection.execute(first).rowcount or connection.execute(change.values(row)).rowcount)

        return await self._store.write(work)

    async def withdraw(self, conversations: Sequence[ConversationId]) -> None:
        """See Roster."""
        gone = delete(offers).where(offers.c.conversation.in_(conversations))
        await self._store.write(lambda connection: connection.execute(gone))

    async def record(self, records: Sequence[EscalationRecord]) -> None:
        """See Roster."""
        rows = [asdict(record) for record in records]
        key = ["conversation", "seq"]

        def work(connection: Connection) -> None:
            for row in rows:
                new = INSERT[connection.dialect.name](escalations).values(row)
                changed = {name: value for name, value in row.items() if name not in key}
                connection.execute(new.on_conflict_do_update(index_elements=key, set_=changed))

        await self._store.write(work)

    async def open_records(self) -> Sequence[EscalationRecord]:
        """See Roster."""
        query = select(escalations).where(escalations.c.ended.is_(None))
        return await self._store.read(lambda connection: [_record(row) for row in connection.execute(query).mappings()])

    async def records_since(self, since: datetime, limit: int) -> Sequence[EscalationRecord]:
        """See Roster."""
        query = (
            select(escalations)
            .where(escalations.c.triggered > since)
            .order_by(escalations.c.triggered.desc(), escalations.c.conversation)
            .limit(limit)
        )
        return await self._store.read(lambda connection: [_record(row) for row in connection.execute(query).mappings()])

    async def feedback_since(self, since: datetime, limit: int) -> Feedback:
        """See Roster."""
        said = (
            select(entries.c.conversation, entries.c.data, entries.c.text, entries.c.at)
            .where(entries.c.kind == Kind.FEEDBACK, entries.c.at > since)
            .order_by(entries.c.at.desc(), entries.c.seq.desc())
            .limit(limit)
        )

        def work(connection: Connection) -> Feedback:
            rows = connection.execute(said).mappings().all()
            rated = {str(row["data"].get("of")) for row in rows if "of" in row["data"]}
            replies = select(entries.c.id, entries.c.speaker, entries.c.data).where(entries.c.id.in_(rated))
            return read_feedback(rows, connection.execute(replies).mappings().all() if rated else ())

        return await self._store.read(work)

    async def waits(self, since: datetime, limit: int) -> Sequence[float]:
        """See Roster."""
        query = (
            select(escalations.c.triggered, escalations.c.claimed)
            .where(escalations.c.claimed > since)
            .order_by(escalations.c.claimed.desc())
            .limit(limit)
        )
        rows = await self._store.read(lambda connection: connection.execute(query).all())
        return [(claimed - triggered).total_seconds() for triggered, claimed in rows]

    async def owe(self, owed: Sequence[Delivery], now: datetime) -> None:
        """See Roster."""
        rows = [{**asdict(delivery), "body": dict(delivery.body), "due": now, "error": ""} for delivery in owed]

        def work(connection: Connection) -> None:
            if rows:
                connection.execute(INSERT[connection.dialect.name](deliveries).on_conflict_do_nothing(), rows)

        await self._store.write(work)

    async def take_due(self, now: datetime, until: datetime, limit: int) -> Sequence[Delivery]:
        """See Roster."""
        query = select(deliveries).where(deliveries.c.due <= now).order_by(deliveries.c.due).limit(limit)

        def work(connection: Connection) -> list[Delivery]:
            found = [_delivery(row) for row in connection.execute(query.with_for_update(skip_locked=True)).mappings()]
            for one in found:
                connection.execute(update(deliveries).where(*_is(one)).values(due=until, attempts=one.attempts + 1))
            return [replace(one, attempts=one.attempts + 1) for one in found]

        return await self._store.write(work)

    async def settle(self, delivery: Delivery, due: datetime | None, error: str = "") -> None:
        """See Roster."""
        change = update(deliveries).where(*_is(delivery)).values(due=due, error=error)
        await self._store.write(lambda connection: connection.execute(change))


def read_feedback(rows: Sequence[RowMapping], replies: Sequence[RowMapping]) -> Feedback:
    """The last word on each reply and each time with people, from entries that say so, the latest first."""
    authors = {
        row["id"]: str(row["data"].get("author") or "A colleague") if row["speaker"] == Speaker.AGENT else ""
        for row in replies
    }
    thumbs: dict[str, Thumb | None] = {}
    comments: dict[tuple[str, int], Comment] = {}
    for row in rows:
        data, chat = row["data"], ConversationId(row["conversation"])
        if isinstance(data.get("rating"), int) and isinstance(data.get("episode"), int):
            seq = data["episode"]
            agent = AgentId(data["agent"]) if data.get("agent") else None
            one = Comment(conversation=chat, seq=seq, stars=data["rating"], text=row["text"], at=row["at"], agent=agent)
            comments.setdefault((chat, seq), one)
        elif data.get("of") in authors:
            is_up = data.get("value")
            thumb = Thumb(conversation=chat, is_up=bool(is_up), author=authors[data["of"]]) if is_up is not None else None
            thumbs.setdefault(data["of"], thumb)
    return Feedback(thumbs=[one for one in thumbs.values() if one], comments=list(comments.values()))


def _is(delivery: Delivery) -> tuple[Any, Any]:
    return deliveries.c.id == delivery.id, deliveries.c.target == delivery.target


def _presence(row: RowMapping) -> Presence:
    return Presence(agent=AgentId(row["agent"]), state=State(row["state"]), since=row["since"], beat=row["beat"])


def _offer(row: RowMapping) -> Offer:
    fields: dict[str, Any] = dict(row)
    fields["tried"] = tuple(fields["tried"])
    return Offer(**fields)


def _record(row: RowMapping) -> EscalationRecord:
    fields: dict[str, Any] = dict(row)
    return EscalationRecord(**fields)


def _delivery(row: RowMapping) -> Delivery:
    return Delivery(id=row["id"], target=row["target"], body=row["body"], attempts=row["attempts"])
