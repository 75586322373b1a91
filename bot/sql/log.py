"""The conversation log in SQL: SQLite by default, PostgreSQL by address, one code path for both."""

from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from uuid import uuid4

from bot.domain import Conversation, ConversationId, CustomerId, Draft, Entry, EntryId, Holder
from bot.errors import ConversationUnknown, MessageUnreadable, NotYours
from bot.sql import reader as queries
from bot.sql.accounts import SqlAccounts
from bot.sql.books import Probe, write_jobs
from bot.sql.database import Database, open_database
from bot.sql.draft import SEQ_MAX, check_draft, is_storable_id
from bot.sql.followers import Followers
from bot.sql.ledger import Append, Begin
from bot.sql.profiles import SqlProfiles
from bot.sql.reader import Reader
from bot.sql.records import SqlRecords
from bot.sql.store import READERS as RECORD_READERS
from bot.sql.store import Store
from bot.sql.tables import read_conversation, read_entry
from bot.sql.writer import Result, Work, Writer

READERS = 4
PATIENCE_SECONDS = 6.0
"""How long a caller waits for a database that says nothing at all; a locked one says so earlier."""
POLL_SECONDS = 0.15
"""How soon words of another process are seen where no Redis tells of them."""


def open_log(url: str | None, data_dir: Path, poll_seconds: float = POLL_SECONDS) -> "SqlLog":
    """The log in the PostgreSQL database at `url`, or in the SQLite file in `data_dir`; blocks while it migrates.

    Raises SettingsInvalid for another sort of address, LogUnavailable or LogCorrupt when the database cannot be used.
    """
    return SqlLog(open_database(url, data_dir, connections=READERS + RECORD_READERS + 3), poll_seconds)


def clamp(seq: int) -> int:
    """The number, or the nearest that fits into a column."""
    return max(0, min(seq, SEQ_MAX))


class SqlLog:
    """A ConversationLog in a database; belongs to the event loop in which it is used."""

    def __init__(self, database: Database, poll_seconds: float = POLL_SECONDS) -> None:
        self._database = database
        self._reader = Reader(database, READERS, PATIENCE_SECONDS)
        self._followers = Followers(self.after, self._reader.last_seqs, poll_seconds)
        self._writer = Writer(self._commit, self._tell, PATIENCE_SECONDS)
        self.listeners: list[Callable[[Entry], None]] = []
        """Told of each entry that this process commits: those who tell the other processes, and the desk."""
        self.accounts = SqlAccounts(self._writer, self._reader)
        self._store = Store(database)
        self.records = SqlRecords(database, self._store)
        self._is_closed = False

    def profiles(self, days: int) -> SqlProfiles:
        """What is known about customers, for so many days after it was last said; closed with the log."""
        return SqlProfiles(self._store, days)

    async def open(self, conversation: ConversationId, customer: CustomerId) -> Conversation:
        """See ConversationLog."""
        found = await self.conversation(conversation)
        if found is None:
            if not (is_storable_id(conversation) and is_storable_id(customer)):
                raise MessageUnreadable
            return await self._writer.write(Begin(conversation=conversation, customer=customer))
        if found.customer != customer:
            raise NotYours(f"conversation {conversation!r}")
        return found

    async def conversation(self, conversation: ConversationId) -> Conversation | None:
        """See ConversationLog."""
        if not is_storable_id(conversation):
            return None
        return next(
            iter(await self._reader.read(queries.ONE_CONVERSATION, read_conversation, conversation=conversation)), None
        )

    async def conversations(self, customer: CustomerId, limit: int = 20, offset: int = 0) -> Sequence[Conversation]:
        """See ConversationLog."""
        if not is_storable_id(customer):
            return ()
        return await self._reader.read(
            queries.OF_CUSTOMER, read_conversation, customer=customer, at_most=limit, skipped=offset
        )

    async def append(self, draft: Draft) -> Entry:
        """See ConversationLog."""
        draft = check_draft(draft)
        if not is_storable_id(draft.conversation):
            raise ConversationUnknown("a conversation whose id cannot be stored was never opened")
        return await self._writer.write(Append(draft=draft, id=EntryId(uuid4().hex)))

    async def after(self, conversation: ConversationId, seq: int = 0, limit: int = 1000) -> Sequence[Entry]:
        """See ConversationLog."""
        if not is_storable_id(conversation):
            return ()
        return await self._reader.read(queries.AFTER, read_entry, conversation=conversation, above=clamp(seq), at_most=limit)

    async def before(self, conversation: ConversationId, seq: int, limit: int) -> Sequence[Entry]:
        """See ConversationLog."""
        if not is_storable_id(conversation):
            return ()
        found = await self._reader.read(
            queries.BEFORE, read_entry, conversation=conversation, below=clamp(seq), at_most=limit
        )
        return found[::-1]

    def follow(self, conversation: ConversationId, seq: int = 0) -> AsyncGenerator[Entry, None]:
        """See ConversationLog."""
        return self._followers.follow(conversation, seq)

    def hear(self, conversation: ConversationId | None, seq: int = 0) -> None:
        """Word of another process's entries, from the bus: who follows need not wait until they are looked for."""
        self._followers.hear(conversation, seq)

    async def entry(self, entry: EntryId) -> Entry | None:
        """See ConversationLog."""
        if not is_storable_id(entry):
            return None
        return next(iter(await self._reader.read(queries.ONE_ENTRY, read_entry, entry=entry)), None)

    async def latest_replies(self, limit: int, before: Entry | None = None) -> Sequence[Entry]:
        """See ConversationLog."""
        if before is None:
            return await self._reader.read(queries.LATEST_REPLIES, read_entry, at_most=limit)
        return await self._reader.read(queries.EARLIER_REPLIES, read_entry, at=before.at, entry=before.id, at_most=limit)

    async def unanswered(self, conversation: ConversationId | None = None) -> Sequence[Entry]:
        """See ConversationLog."""
        if conversation is None:
            return await self._reader.read(queries.UNANSWERED, read_entry)
        if not is_storable_id(conversation):
            return ()
        return await self._reader.read(queries.UNANSWERED_HERE, read_entry, conversation=conversation)

    async def held(self, holder: Holder, limit: int = 1000) -> Sequence[Conversation]:
        """See ConversationLog."""
        return await self._reader.read(queries.HELD[holder], read_conversation, at_most=limit)

    async def check(self) -> None:
        """See ConversationLog."""
        await self._writer.write(Probe())

    async def close(self) -> None:
        """See ConversationLog."""
        if self._is_closed:
            return
        self._is_closed = True
        self._followers.close()
        await self._writer.close()
        await self._reader.close()
        await self._store.close()

    def _tell(self, entry: Entry) -> None:
        self._followers.tell(entry)
        for listener in self.listeners:
            listener(entry)

    def _commit(self, jobs: Sequence[Work]) -> Sequence[Result]:
        try:
            with self._database.write() as connection:
                return write_jobs(connection, jobs)
        except MessageUnreadable as refusal:
            if len(jobs) == 1:
                return [refusal]
        # One draft that the database cannot take has undone the others' transaction: each goes again by itself.
        return [outcome for job in jobs for outcome in self._commit([job])]
