"""The conversation log: an append-only sequence of entries per conversation, of which every screen is a view."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from bot.domain import Conversation, ConversationId, CustomerId, Draft, Entry, EntryId, Holder


class ConversationLog(Protocol):
    """What every log promises, held by one contract test for the real one and the fake.

    Sequence numbers count from 1 per conversation without gaps. `append` returns only after the entry is on disk. Any
    method raises LogUnavailable when the store cannot be used. Then nothing was stored, unless the store fell silent or
    the connection broke during the commit itself; to append again is safe where there is a client id or `answers`.
    An id over 200 characters, or with characters that cannot be stored, names nothing.
    """

    async def open(self, conversation: ConversationId, customer: CustomerId) -> Conversation:
        """The conversation, begun now if it is new.

        Raises NotYours if it is another customer's, MessageUnreadable if one of the ids cannot be stored.
        """
        ...

    async def conversation(self, conversation: ConversationId) -> Conversation | None:
        """The conversation, or None if there is none."""
        ...

    async def conversations(self, customer: CustomerId, limit: int = 20, offset: int = 0) -> Sequence[Conversation]:
        """The customer's conversations that have at least one entry, latest first."""
        ...

    async def append(self, draft: Draft) -> Entry:
        """Commit the draft and return its entry.

        A repeat of a client id, or of `answers`, returns the first entry and stores nothing. Raises ClientIdReused when
        the client id came with another text, kind or speaker, ConversationUnknown when the conversation was never opened,
        MessageUnreadable when something in it cannot be stored (NUL, half a character), ValueError when `answers` is not
        the number of an earlier entry, HolderChanged when `only_if` does not hold. What waited for the bot when a
        conversation comes back to it waits no more: whoever held it has dealt with it. Cancelled, the entry may be stored
        or not.
        """
        ...

    async def after(self, conversation: ConversationId, seq: int = 0, limit: int = 1000) -> Sequence[Entry]:
        """Entries with a sequence number above `seq`, in order."""
        ...

    async def before(self, conversation: ConversationId, seq: int, limit: int) -> Sequence[Entry]:
        """The last `limit` entries below `seq`, in order."""
        ...

    def follow(self, conversation: ConversationId, seq: int = 0) -> AsyncGenerator[Entry, None]:
        """Entries above `seq`, then each new one as it is committed, until the log is closed; also other processes'.

        Raises LogUnavailable only before its first entries; later it waits until the store is back.
        """
        ...

    async def entry(self, entry: EntryId) -> Entry | None:
        """An entry by id."""
        ...

    async def latest_replies(self, limit: int, before: Entry | None = None) -> Sequence[Entry]:
        """Entries of all conversations that settle a customer's message, latest first; only those older than `before`."""
        ...

    async def unanswered(self, conversation: ConversationId | None = None) -> Sequence[Entry]:
        """Customers' messages that no entry answers yet, where the bot holds the conversation.

        Each conversation's together and in order, the conversation that waits longest first.
        """
        ...

    async def held(self, holder: Holder, limit: int = 1000) -> Sequence[Conversation]:
        """The conversations that the queue or the agents hold, the one that changed longest ago first."""
        ...

    async def check(self) -> None:
        """Whether entries can be appended now; stores nothing."""
        ...

    async def close(self) -> None:
        """Finish what is under way and release the store."""
        ...
