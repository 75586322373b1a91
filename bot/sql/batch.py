"""One transaction of the log: many drafts, few statements, each draft settled by itself."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Column, Connection, Select, and_, bindparam, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from bot.domain import Draft, Entry, Holder
from bot.sql.draft import is_question
from bot.sql.ledger import Append, Begin, Job, Ledger, Outcome
from bot.sql.tables import conversations, entries, read_conversation, read_entry, waiting

PAIRS = 64
"""Pairs looked up in one query; many more take long to compile the first time."""
ENTRY_COLUMNS = tuple(entries.c.keys())
LOCK = (
    select(conversations)
    .where(conversations.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(conversations.c.id)  # every process locks in one order, so none waits for another in a circle
    .with_for_update()
)
BEGIN = {
    "sqlite": sqlite.insert(conversations).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(conversations).on_conflict_do_nothing(),
}
ADVANCED = ("last_seq", "title", "updated", "holder", "agent")
ADVANCE = (
    update(conversations)
    .where(conversations.c.id == bindparam("of"))
    .values({name: bindparam(f"now_{name}") for name in ADVANCED})
)
SETTLE = delete(waiting).where(
    waiting.c.conversation == bindparam("of"),
    waiting.c.seq == bindparam("answered"),
)
CLEAR = delete(waiting).where(waiting.c.conversation == bindparam("of"), waiting.c.seq < bindparam("returned_at"))


def write_batch(connection: Connection, jobs: Sequence[Job]) -> list[Outcome]:
    """Do the jobs in the connection's transaction and return what each came to, in order; the caller commits."""
    now = datetime.now(UTC)
    begin_conversations(connection, [job for job in jobs if isinstance(job, Begin)], now)
    locked = connection.execute(LOCK, {"ids": sorted({job.conversation for job in jobs})}).mappings()
    firsts = find_firsts(connection, [job.draft for job in jobs if isinstance(job, Append)])
    ledger = Ledger(map(read_conversation, locked), firsts, now)
    outcomes = [ledger.settle(job) for job in jobs]
    if ledger.added:
        store(connection, ledger)
    return outcomes


def begin_conversations(connection: Connection, begins: Sequence[Begin], now: datetime) -> None:
    """Insert those that are not there, in one order in every process."""
    new = {"holder": Holder.BOT, "title": "", "last_seq": 0, "started": now, "updated": now}
    customers = {begin.conversation: begin.customer for begin in reversed(begins)}  # the first to ask has it
    if customers:
        rows = [{"id": id, "customer": customers[id], **new} for id in sorted(customers)]
        connection.execute(BEGIN[connection.dialect.name], rows)


def find_firsts(connection: Connection, drafts: Sequence[Draft]) -> Iterable[Entry]:
    """The entries that have one of the drafts' client ids or answer what one of them answers."""
    client_ids = [(draft.conversation, draft.client_id) for draft in drafts if draft.client_id is not None]
    answered = [(draft.conversation, draft.answers) for draft in drafts if draft.answers is not None]
    yield from find_entries(connection, entries.c.client_id, client_ids)
    yield from find_entries(connection, entries.c.answers, answered)


def find_entries(connection: Connection, column: Column[Any], pairs: Sequence[tuple[object, object]]) -> Iterable[Entry]:
    """The entries that have one of the pairs as their conversation and `column`."""
    for start in range(0, len(pairs), PAIRS):
        asked = pairs[start : start + PAIRS]
        places = 1 << (len(asked) - 1).bit_length()  # the last pair is repeated: few sizes, so that statements are reused
        values: dict[str, object] = {}
        for place in range(places):
            values[f"of_{place}"], values[f"is_{place}"] = asked[min(place, len(asked) - 1)]
        yield from map(read_entry, connection.execute(one_of_pairs(column, places), values).mappings())


@cache
def one_of_pairs(column: Column[Any], places: int) -> Select[Any]:
    """The query for so many pairs. Pairs in one IN list would be shorter, but SQLite then reads the whole index."""
    pairs = (
        and_(entries.c.conversation == bindparam(f"of_{place}"), column == bindparam(f"is_{place}"))
        for place in range(places)
    )
    return select(entries).where(or_(*pairs))


def store(connection: Connection, ledger: Ledger) -> None:
    """Write what the ledger added: the entries, their conversations' counters, and what now waits or no longer does."""
    added = ledger.added
    connection.execute(insert(entries), [{name: getattr(entry, name) for name in ENTRY_COLUMNS} for entry in added])
    changed = [ledger.conversations[id] for id in dict.fromkeys(entry.conversation for entry in added)]
    connection.execute(
        ADVANCE,
        [{"of": row.id, **{f"now_{name}": getattr(row, name) for name in ADVANCED}} for row in changed],
    )
    asked = [{"conversation": entry.conversation, "seq": entry.seq} for entry in added if is_question(entry)]
    answered = [{"of": entry.conversation, "answered": entry.answers} for entry in added if entry.answers is not None]
    if asked:
        connection.execute(insert(waiting), asked)
    if answered:
        connection.execute(SETTLE, answered)
    if ledger.returned:
        connection.execute(CLEAR, [{"of": id, "returned_at": seq} for id, seq in ledger.returned.items()])
