"""The conversation log in memory: for tests and evaluations; it holds the same contract and keeps nothing."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

from bot.domain import Conversation, ConversationId, CustomerId, Draft, Entry, EntryId, Holder
from bot.errors import ClientIdReused, ConversationUnknown, HolderChanged, LogUnavailable, MessageUnreadable, NotYours
from bot.sql.draft import check_draft, enter, is_question, is_storable_id, title_of


class MemoryLog:
    """A ConversationLog in lists."""

    def __init__(self) -> None:
        self._conversations: dict[ConversationId, Conversation] = {}
        self._entries: dict[ConversationId, list[Entry]] = {}
        self._returned: dict[ConversationId, int] = {}
        self._change = asyncio.Event()  # set once, at the next change, and then replaced
        self._is_closed = False

    async def open(self, conversation: ConversationId, customer: CustomerId) -> Conversation:
        """See ConversationLog."""
        self._check_open()
        if not (is_storable_id(conversation) and is_storable_id(customer)):
            raise MessageUnreadable
        if conversation not in self._conversations:
            now = datetime.now(UTC)
            self._entries[conversation] = []
            self._conversations[conversation] = Conversation(
                id=conversation, customer=customer, holder=Holder.BOT, title="", last_seq=0, started=now, updated=now
            )
        if self._conversations[conversation].customer != customer:
            raise NotYours(f"conversation {conversation!r}")
        return self._conversations[conversation]

    async def conversation(self, conversation: ConversationId) -> Conversation | None:
        """See ConversationLog."""
        self._check_open()
        return self._conversations.get(conversation)

    async def conversations(self, customer: CustomerId, limit: int = 20, offset: int = 0) -> Sequence[Conversation]:
        """See ConversationLog."""
        self._check_open()
        theirs = [each for each in self._conversations.values() if each.customer == customer and each.last_seq]
        theirs.sort(key=lambda each: each.updated, reverse=True)
        return theirs[offset : offset + limit]

    async def append(self, draft: Draft) -> Entry:
        """See ConversationLog."""
        self._check_open()
        draft = check_draft(draft)
        if draft.conversation not in self._conversations:
            raise ConversationUnknown(f"conversation {draft.conversation!r} was never opened")
        if first := self._first(draft):
            return first
        seq, before = len(self._entries[draft.conversation]) + 1, self._conversations[draft.conversation]
        if draft.only_if not in (None, before.held):
            raise HolderChanged(f"conversation {before.id!r} is with {before.holder}")
        if draft.answers is not None and not 1 <= draft.answers < seq:
            raise ValueError(f"answers={draft.answers} names no entry of conversation {draft.conversation!r}")
        return self._add(draft, seq)

    async def after(self, conversation: ConversationId, seq: int = 0, limit: int = 1000) -> Sequence[Entry]:
        """See ConversationLog."""
        self._check_open()
        return self._entries.get(conversation, [])[max(seq, 0) :][:limit]

    async def before(self, conversation: ConversationId, seq: int, limit: int) -> Sequence[Entry]:
        """See ConversationLog."""
        self._check_open()
        found = self._entries.get(conversation, [])[: max(seq - 1, 0)]
        return found[max(0, len(found) - limit) :]

    async def follow(self, conversation: ConversationId, seq: int = 0) -> AsyncGenerator[Entry, None]:
        """See ConversationLog."""
        while not self._is_closed:
            change = self._change
            page = self._entries.get(conversation, [])[seq:]
            for entry in page:
                seq = entry.seq
                yield entry
            if not page:
                await change.wait()

    async def entry(self, entry: EntryId) -> Entry | None:
        """See ConversationLog."""
        self._check_open()
        return next((each for said in self._entries.values() for each in said if each.id == entry), None)

    async def latest_replies(self, limit: int, before: Entry | None = None) -> Sequence[Entry]:
        """See ConversationLog."""
        self._check_open()
        settling = [entry for said in self._entries.values() for entry in said if entry.answers is not None]
        settling.sort(key=_age, reverse=True)
        return [entry for entry in settling if before is None or _age(entry) < _age(before)][:limit]

    async def unanswered(self, conversation: ConversationId | None = None) -> Sequence[Entry]:
        """See ConversationLog."""
        self._check_open()
        ids = list(self._conversations) if conversation is None else [conversation]
        waiting = [group for group in map(self._waiting, ids) if group]
        waiting.sort(key=lambda group: group[0].at)
        return [entry for group in waiting for entry in group]

    async def held(self, holder: Holder, limit: int = 1000) -> Sequence[Conversation]:
        """See ConversationLog."""
        self._check_open()
        held = [each for each in self._conversations.values() if each.holder is holder]
        return sorted(held, key=lambda each: (each.updated, each.id))[:limit]

    async def check(self) -> None:
        """See ConversationLog."""
        self._check_open()

    async def close(self) -> None:
        """See ConversationLog."""
        self._is_closed = True
        self._wake()

    def _first(self, draft: Draft) -> Entry | None:
        said = self._entries[draft.conversation]
        if draft.client_id is not None:
            for entry in said:
                if entry.client_id == draft.client_id:
                    if (entry.speaker, entry.kind, entry.text) != (draft.speaker, draft.kind, draft.text):
                        raise ClientIdReused
                    return entry
        return next((entry for entry in said if draft.answers is not None and entry.answers == draft.answers), None)

    def _add(self, draft: Draft, seq: int) -> Entry:
        entry = enter(draft, EntryId(uuid4().hex), seq, datetime.now(UTC))
        before = self._conversations[draft.conversation]
        title = before.title or title_of(draft)
        after = replace(before, title=title, last_seq=seq, updated=entry.at)
        if draft.moves_to:
            after = replace(after, holder=draft.moves_to.holder, agent=draft.moves_to.agent)
            if after.holder is Holder.BOT:
                self._returned[after.id] = seq
        self._conversations[after.id] = after
        self._entries[draft.conversation].append(entry)
        self._wake()
        return entry

    def _waiting(self, conversation: ConversationId) -> list[Entry]:
        held = self._conversations.get(conversation)
        if held is None or held.holder is not Holder.BOT:
            return []
        said = self._entries[conversation]
        answered = {entry.answers for entry in said}
        since = self._returned.get(conversation, 0)
        return [entry for entry in said if is_question(entry) and entry.seq not in answered and entry.seq >= since]

    def _wake(self) -> None:
        self._change.set()
        self._change = asyncio.Event()

    def _check_open(self) -> None:
        if self._is_closed:
            raise LogUnavailable("the conversation log is closed")


def _age(entry: Entry) -> tuple[datetime, EntryId]:
    return entry.at, entry.id
