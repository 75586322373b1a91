"""What a transaction of the log comes to, worked out in memory: no I/O here."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from bot.domain import Conversation, ConversationId, CustomerId, Draft, Entry, EntryId, Holder
from bot.errors import ClientIdReused, ConversationUnknown, HolderChanged, NotYours
from bot.records import ERASED
from bot.sql.draft import enter, title_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """A conversation to begin unless it is there."""

    conversation: ConversationId
    customer: CustomerId


@dataclass(frozen=True, slots=True, kw_only=True)
class Append:
    """A draft to append under an id of its own."""

    draft: Draft
    id: EntryId

    @property
    def conversation(self) -> ConversationId:
        """The conversation it goes to."""
        return self.draft.conversation


Job = Begin | Append
Outcome = Conversation | Entry | Exception
"""What a job came to; an exception is a refusal of that job alone."""


class Ledger:
    """What a transaction adds, worked out in memory from the locked conversations and the entries that came first."""

    def __init__(self, locked: Iterable[Conversation], firsts: Iterable[Entry], now: datetime) -> None:
        self.conversations = {conversation.id: conversation for conversation in locked}
        self.added: list[Entry] = []
        self.returned: dict[ConversationId, int] = {}
        """Conversations that came back to the bot, with the number of the entry that brought them."""
        self._now = now
        self._by_client_id: dict[tuple[ConversationId, str], Entry] = {}
        self._by_answered: dict[tuple[ConversationId, int], Entry] = {}
        for entry in firsts:
            self._remember(entry)

    def settle(self, job: Job) -> Outcome:
        """The job's outcome; a new entry is noted in `added`."""
        conversation = self.conversations.get(job.conversation)
        if conversation is None or conversation.customer.startswith(ERASED):
            return ConversationUnknown(f"conversation {job.conversation!r} was never opened, or was erased")
        if isinstance(job, Begin):
            return conversation if conversation.customer == job.customer else NotYours(f"conversation {job.conversation!r}")
        return self._find_first(job.draft) or self._append(job, conversation)

    def _find_first(self, draft: Draft) -> Entry | ClientIdReused | None:
        if draft.client_id is not None and (first := self._by_client_id.get((draft.conversation, draft.client_id))):
            is_repeat = (first.speaker, first.kind, first.text) == (draft.speaker, draft.kind, draft.text)
            return first if is_repeat else ClientIdReused()
        return None if draft.answers is None else self._by_answered.get((draft.conversation, draft.answers))

    def _append(self, job: Append, before: Conversation) -> Entry | ValueError | HolderChanged:
        draft, seq = job.draft, before.last_seq + 1
        if draft.only_if not in (None, before.held):
            return HolderChanged(f"conversation {before.id!r} is with {before.holder}")
        if draft.answers is not None and not 1 <= draft.answers < seq:
            return ValueError(f"answers={draft.answers} names no entry of conversation {before.id!r}")
        entry = enter(draft, job.id, seq, self._now)
        title = before.title or title_of(draft)
        after = replace(before, last_seq=seq, updated=self._now, title=title)
        if draft.moves_to:
            after = replace(after, holder=draft.moves_to.holder, agent=draft.moves_to.agent)
            if after.holder is Holder.BOT:
                self.returned[after.id] = seq
        self.conversations[after.id] = after
        self.added.append(entry)
        self._remember(entry)
        return entry

    def _remember(self, entry: Entry) -> None:
        if entry.client_id is not None:
            self._by_client_id[entry.conversation, entry.client_id] = entry
        if entry.answers is not None:
            self._by_answered[entry.conversation, entry.answers] = entry
