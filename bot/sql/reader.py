"""The log's questions to the database, asked from a small pool of threads."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import RowMapping, Select, bindparam, func, literal_column, or_, select

from bot.domain import ConversationId, Holder
from bot.errors import LogUnavailable
from bot.sql.database import Database
from bot.sql.tables import conversations, entries, waiting

T = TypeVar("T")
CHUNK = 500
"""Conversations asked for in one query; SQLite takes no more than some thousands of values."""

ONE_CONVERSATION = select(conversations).where(conversations.c.id == bindparam("conversation"))
OF_CUSTOMER = (
    select(conversations)
    .where(conversations.c.customer == bindparam("customer"), conversations.c.last_seq > 0)
    .order_by(conversations.c.updated.desc(), conversations.c.id)
    .limit(bindparam("at_most"))
    .offset(bindparam("skipped"))
)
AFTER = (
    select(entries)
    .where(entries.c.conversation == bindparam("conversation"), entries.c.seq > bindparam("above"))
    .order_by(entries.c.seq)
    .limit(bindparam("at_most"))
)
BEFORE = (
    select(entries)
    .where(entries.c.conversation == bindparam("conversation"), entries.c.seq < bindparam("below"))
    .order_by(entries.c.seq.desc())
    .limit(bindparam("at_most"))
)
ONE_ENTRY = select(entries).where(entries.c.id == bindparam("entry"))
LATEST_REPLIES = (
    select(entries)
    .where(entries.c.answers.is_not(None))
    .order_by(entries.c.at.desc(), entries.c.id.desc())
    .limit(bindparam("at_most"))
)
EARLIER_REPLIES = LATEST_REPLIES.where(
    entries.c.at <= bindparam("at"),  # the index goes on from here; the rest parts those of the same moment
    or_(entries.c.at < bindparam("at"), entries.c.id < bindparam("entry")),
)
LAST_SEQS = select(conversations.c.id, conversations.c.last_seq).where(
    conversations.c.id.in_(bindparam("ids", expanding=True))
)
# The holder stands in the text of the query, so that the index of the few that people hold is used.
HELD = {
    holder: select(conversations)
    .where(conversations.c.holder == literal_column(f"'{holder}'"))
    .order_by(conversations.c.updated, conversations.c.id)
    .limit(bindparam("at_most"))
    for holder in (Holder.QUEUE, Holder.AGENT)
}
HOLDER = select(conversations.c.holder).where(conversations.c.id == waiting.c.conversation).scalar_subquery()
# An outer join and a subquery, where inner joins would say the same: so that SQLite goes through the few that wait, never
# through all conversations or entries. The longest waiting conversation first.
UNANSWERED = (
    select(entries)
    .select_from(waiting)
    .outerjoin(entries, (entries.c.conversation == waiting.c.conversation) & (entries.c.seq == waiting.c.seq))
    .where(HOLDER == Holder.BOT)
    .order_by(func.min(entries.c.at).over(partition_by=waiting.c.conversation), waiting.c.conversation, waiting.c.seq)
)
UNANSWERED_HERE = UNANSWERED.where(waiting.c.conversation == bindparam("conversation"))


class Reader:
    """Runs queries in threads and gives up on a database that says nothing at all."""

    def __init__(self, database: Database, threads: int, patience_seconds: float) -> None:
        self._database, self._patience_seconds = database, patience_seconds
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="log-reader")
        self._running: set[Future[Any]] = set()
        self._is_closed = False

    async def read(self, query: Select[Any], as_noun: Callable[[RowMapping], T], **values: object) -> list[T]:
        """What the query finds, as nouns. Raises LogUnavailable."""
        return await self._run(partial(self._query, query, as_noun, values))

    async def last_seqs(self, ids: Sequence[ConversationId]) -> Mapping[ConversationId, int]:
        """The last sequence number of each of the conversations. Raises LogUnavailable."""
        return await self._run(partial(self._query_last_seqs, ids))

    async def close(self) -> None:
        """Take no more questions, and let those under way give back their connections; not for a database that hangs."""
        self._is_closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        if running := [asyncio.wrap_future(query) for query in list(self._running)]:
            await asyncio.wait(running, timeout=self._patience_seconds)

    async def _run(self, query: Callable[[], T]) -> T:
        if self._is_closed:
            raise LogUnavailable("the conversation log is closed")
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await asyncio.wrap_future(self._submit(query))
        except TimeoutError:
            raise LogUnavailable(f"{self._database.name} did not answer within {self._patience_seconds:g} s") from None

    def _submit(self, query: Callable[[], T]) -> Future[T]:
        running = self._threads.submit(query)
        self._running.add(running)
        running.add_done_callback(self._running.discard)
        return running

    def _query(self, query: Select[Any], as_noun: Callable[[RowMapping], T], values: Mapping[str, object]) -> list[T]:
        with self._database.read() as connection:
            return [as_noun(row) for row in connection.execute(query, values).mappings()]

    def _query_last_seqs(self, ids: Sequence[ConversationId]) -> dict[ConversationId, int]:
        with self._database.read() as connection:
            found: dict[ConversationId, int] = {}
            for start in range(0, len(ids), CHUNK):
                rows = connection.execute(LAST_SEQS, {"ids": ids[start : start + CHUNK]})
                found.update((id, last_seq) for id, last_seq in rows)
        return found
