"""The last entries of the conversations that this process serves, so that a turn need not read the log again."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from bot.domain import ConversationId, CustomerId, Entry, Holder
from bot.log import ConversationLog

KEPT = 12
"""Entries of a conversation that are kept, and that a turn looks back on."""
CONVERSATIONS = 20_000
"""Conversations that are kept; the one unused longest goes first."""


@dataclass(slots=True, kw_only=True)
class _Kept:
    customer: CustomerId
    is_bots: bool
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=KEPT))


class Recent:
    """Coherent by the sequence numbers: whoever changes a conversation, in any process, appends an entry.

    A customer's message that does not follow the last entry kept says that somebody else has written; then the log is read.
    """

    def __init__(self, log: ConversationLog) -> None:
        self._log = log
        self._kept: OrderedDict[ConversationId, _Kept] = OrderedDict()

    def is_open(self, conversation: ConversationId, customer: CustomerId) -> bool:
        """Whether the conversation is known to exist and to be this customer's."""
        kept = self._kept.get(conversation)
        return kept is not None and kept.customer == customer

    def begin(self, conversation: ConversationId, customer: CustomerId, holder: Holder, last_seq: int) -> None:
        """A conversation that was opened; one without entries is known whole."""
        self._kept[conversation] = _Kept(customer=customer, is_bots=holder is Holder.BOT and last_seq == 0)
        if len(self._kept) > CONVERSATIONS:
            self._kept.popitem(last=False)

    def is_bots(self, conversation: ConversationId) -> bool:
        """Whether the bot holds the conversation, as far as this process knows."""
        kept = self._kept.get(conversation)
        return kept is not None and kept.is_bots

    def forget(self, conversation: ConversationId) -> None:
        """Read the conversation anew next time: it was passed on."""
        self._kept.pop(conversation, None)

    def forget_customer(self, customer: CustomerId) -> None:
        """Read all conversations of this customer anew next time: somebody has claimed them."""
        for conversation in [id for id, kept in self._kept.items() if kept.customer == customer]:
            del self._kept[conversation]

    def note(self, entry: Entry) -> None:
        """An entry that this process appended."""
        if kept := self._kept.get(entry.conversation):
            self._kept.move_to_end(entry.conversation)
            last = kept.entries[-1].seq if kept.entries else 0
            if entry.seq == last + 1:
                kept.entries.append(entry)
            elif entry.seq > last:
                kept.entries.clear()
                kept.is_bots = False

    async def before(self, asked: Entry) -> Sequence[Entry] | None:
        """The entries before a message, oldest first; None when it is settled or the bot does not hold the conversation."""
        kept = self._kept.get(asked.conversation)
        if kept and kept.is_bots and any(entry.seq == asked.seq for entry in kept.entries):
            around: Sequence[Entry] = tuple(kept.entries)
        else:
            conversation = await self._log.conversation(asked.conversation)
            if conversation is None or conversation.holder is not Holder.BOT:
                return None
            around = await self._log.after(asked.conversation, max(0, asked.seq - 1 - KEPT))
            self._keep(conversation.customer, asked.conversation, around)
        if any(entry.answers == asked.seq for entry in around):
            return None
        return [entry for entry in around if entry.seq < asked.seq]

    def customer(self, conversation: ConversationId) -> CustomerId:
        """Whose conversation it is; known as long as `before` has just told its entries."""
        return self._kept[conversation].customer

    def _keep(self, customer: CustomerId, conversation: ConversationId, entries: Sequence[Entry]) -> None:
        self._kept[conversation] = _Kept(customer=customer, is_bots=True, entries=deque(entries, maxlen=KEPT))
