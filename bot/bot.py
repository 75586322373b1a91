"""The bot: takes customers' messages, answers each once while it holds the conversation, and keeps what was said."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from bot import phrases
from bot.accounts import DEVELOPERS, Account
from bot.between import Between
from bot.bus import Bus
from bot.clerk import Clerk
from bot.dispatch import Dispatch
from bot.domain import (
    ClientId,
    ConversationId,
    CustomerId,
    Draft,
    Entry,
    EntryId,
    Held,
    Holder,
    Kind,
    Outcome,
    Speaker,
    Turn,
)
from bot.errors import ConversationUnknown, HolderChanged, NotYours, TooManyMessages
from bot.guard import guard
from bot.handover import wants_bot_back
from bot.limits import MessageRate
from bot.live import Live
from bot.llm.members import ProviderStatus
from bot.log import ConversationLog
from bot.mind import Mind
from bot.reading import MessageReader
from bot.recent import KEPT, Recent
from bot.settings import Settings
from bot.state import State, StateStatus
from bot.trace import turn_data
from bot.turn import Flow, Occasion
from bot.upkeep import Upkeep
from bot.writer import Writer
from knowledge.document import Search

logger = logging.getLogger(__name__)

_BOT = Held(holder=Holder.BOT)


class Bot:
    """Takes customers' messages and answers them: one turn at a time per conversation, one deadline per turn."""

    def __init__(  # noqa: PLR0913  `wiring` picks each of them
        self,
        *,
        settings: Settings,
        log: ConversationLog,
        search: Search,
        writer: Writer | None = None,
        reader: MessageReader | None = None,
        clerk: Clerk | None = None,
        mind: Mind | None = None,
        state: State | None = None,
        between: Between | None = None,
        upkeep: Upkeep | None = None,
    ) -> None:
        self.settings = settings
        self.log = log
        self.search = search
        self.live = Live()
        self._writer = writer
        self._clerk = clerk
        self.mind = mind
        self._upkeep = upkeep
        self._flow = Flow(settings, search, writer, reader)
        self._recent = Recent(log)
        self._state = state
        self._rate = MessageRate(settings.messages_per_minute, state.bus if state else None)
        self._between = between
        if between:
            between.typing_listeners.append(self.live.show_typing)
        self._dispatch = Dispatch(
            self.take_turn,
            self._settle,
            deadline_seconds=settings.turn_seconds,
            waiting=settings.waiting_messages,
            in_order=between.in_order(self._recent.forget).upto if between else None,
        )

    @property
    def clerk(self) -> Clerk | None:
        """Who looks up and does things for customers; None where nobody does."""
        return self._clerk

    @property
    def between(self) -> Between | None:
        """Word between this process and the others that serve the same log; None where there are none."""
        return self._between

    @property
    def writes(self) -> bool:
        """Whether replies are written, so that there is something to show before they are finished."""
        return self._writer is not None

    @property
    def providers(self) -> Sequence[ProviderStatus]:
        """How the providers fare, in the order in which they are asked."""
        return self._writer.providers if self._writer else ()

    @property
    def bus(self) -> Bus | None:
        """What the processes share; None where each is alone."""
        return self._state.bus if self._state else None

    @property
    def shared(self) -> StateStatus | None:
        """How the server fares that holds session memory and what processes share; None where there is none."""
        return self._state.status if self._state else None

    async def prepare(self) -> None:
        """Do what takes a moment before the first message comes."""
        await self._flow.prepare()

    async def start(self) -> None:
        """Take up the messages that a crash left unanswered."""
        if self._between:
            self._between.start()
        if self._upkeep:
            self._upkeep.start()
        self._dispatch.wake(await self.log.unanswered())

    async def accept(
        self, conversation: ConversationId, customer: CustomerId, text: object, client_id: ClientId | None = None
    ) -> Entry:
        """Commit a customer's message, then return its entry; its turn follows by itself.

        A repeat of a client id returns the first entry and gives no second reply. Raises MessageRefused (its reason is for
        the customer), NotYours or LogUnavailable; then nothing was stored.
        """
        if self._dispatch.is_flooded(conversation):
            raise TooManyMessages  # before anything is read of it: a flood costs the others next to nothing
        message = guard(text, self.settings.message_max_chars, self.settings.country)
        await self._rate.check(customer)
        if self._between and self._dispatch.is_full(conversation):
            self._dispatch.keep(conversation, await self.log.unanswered(conversation))
        with self._dispatch.room(conversation):
            held = await self._held(conversation, customer)
            draft = Draft(
                conversation=conversation,
                speaker=Speaker.CUSTOMER,
                kind=Kind.MESSAGE,
                text=message.text,
                data=message.data,
                client_id=client_id,
            )
            brought_back = await self._bring_back(draft, held)
            entry = brought_back or await self.log.append(draft)
        self._recent.note(entry)
        if held is None or brought_back:
            self._dispatch.wake([entry])
        return entry

    async def take_turn(self, asked: Entry) -> None:
        """Answer one message; does nothing when it is settled already or when the bot does not hold the conversation."""
        earlier = await self._recent.before(asked)
        if earlier is None:
            return
        account = _account(asked, self._recent.customer(asked.conversation))
        now = Occasion(
            asked=asked,
            earlier=earlier,
            account=account,
            show=partial(self.live.show, asked.conversation, asked.seq),
            clerk=self._clerk,
            mind=self.mind,
        )
        turn = await self._flow.run(now)
        reply = await self._append(asked, turn.reply.text, turn_data(turn), turn.reply.outcome)
        if self.mind and reply:
            await self.mind.remember(now.recalled, asked, reply, account.customer)

    async def replay(self, entry: EntryId) -> Turn:
        """The turn that led to this reply, run again with the prompts and articles as they are now.

        Nothing is appended and no page shows it. Raises ConversationUnknown when the entry settles no message, TimeoutError
        past the deadline of a turn.
        """
        reply = await self.log.entry(entry)
        if reply is None or reply.answers is None:
            raise ConversationUnknown(f"there is no reply {entry}")
        *earlier, asked = await self.log.before(reply.conversation, reply.answers + 1, KEPT + 1)
        return await self.try_turn(asked, earlier)

    async def try_turn(self, asked: Entry, earlier: Sequence[Entry]) -> Turn:
        """What the bot would do about a message after these entries, on the developers' account; nothing comes of it.

        Raises TimeoutError past the deadline of a turn.
        """
        async with asyncio.timeout(self.settings.turn_seconds):
            return await self._flow.run(Occasion(asked=asked, earlier=earlier, account=_account(asked, DEVELOPERS)))

    async def resume(self, conversation: ConversationId) -> None:
        """Take up what is unanswered in a conversation that a customer opens again."""
        if not self._dispatch.busy(conversation):
            self._dispatch.wake(await self.log.unanswered(conversation))

    async def stop(self, conversation: ConversationId, customer: CustomerId) -> None:
        """Cut the reply in flight. Raises NotYours or ConversationUnknown."""
        await self._own(conversation, customer)
        self._dispatch.stop(conversation)

    def cut(self, conversation: ConversationId) -> None:
        """A person has taken the conversation over: what the bot was about to say is dropped, and shown to nobody."""
        self._recent.forget(conversation)
        if self._dispatch.cut(conversation):
            self.live.end(conversation)
            logger.info("conversation %s: the reply in flight was cut, a person has taken over", conversation)

    def forget(self, customer: CustomerId) -> None:
        """Read this customer's conversations anew: they are another's now."""
        self._recent.forget_customer(customer)

    def show_typing(self, conversation: ConversationId, name: str) -> None:
        """Somebody of the staff types a message to the customer: shown on their page, whichever process serves it."""
        if self._between:
            self._between.tell_typing(conversation, name)
        else:
            self.live.show_typing(conversation, name)

    async def rate(self, customer: CustomerId, entry: EntryId, value: int | None) -> Entry:
        """Record a thumb on a reply: 1 up, 0 down, None taken back. Raises NotYours or ConversationUnknown."""
        rated = await self.log.entry(entry)
        if rated is None or rated.speaker not in (Speaker.BOT, Speaker.AGENT):
            raise ConversationUnknown(f"there is no reply {entry}")
        await self._own(rated.conversation, customer)
        return await self.log.append(
            Draft(
                conversation=rated.conversation,
                speaker=Speaker.CUSTOMER,
                kind=Kind.FEEDBACK,
                text="",
                data={"of": rated.id, "value": value},
            )
        )

    async def close(self) -> None:
        """Stop taking turns and release the log; what was not answered is taken up at the next start."""
        await self._dispatch.close()
        if self._between:
            await self._between.close()
        if self._upkeep:
            await self._upkeep.close()
        if self.mind:
            await self.mind.close()
        if self._writer:
            await self._writer.close()
        if self._clerk:
            await self._clerk.close()
        self._flow.close()
        if self._state:
            await self._state.close()
        await self.log.close()

    async def _own(self, conversation: ConversationId, customer: CustomerId) -> None:
        known = await self.log.conversation(conversation)
        if known is None:
            raise ConversationUnknown(f"there is no conversation {conversation}")
        if known.customer != customer:
            raise NotYours(f"conversation {conversation} is not {customer}'s")

    async def _held(self, conversation: ConversationId, customer: CustomerId) -> Held | None:
        """Who holds the conversation where it is not the bot; begins it if it is new. Raises NotYours."""
        if not self._recent.is_open(conversation, customer):
            opened = await self.log.open(conversation, customer)
            self._recent.begin(conversation, customer, opened.holder, opened.last_seq)
            return None if opened.holder is Holder.BOT else opened.held
        if self._recent.is_bots(conversation):
            return None
        known = await self.log.conversation(conversation)
        return known.held if known and known.holder is not Holder.BOT else None

    async def _bring_back(self, draft: Draft, held: Held | None) -> Entry | None:
        """Append a message that takes its conversation back to the bot: one that was closed, or whose customer asks so."""
        if held is None or held.holder is Holder.AGENT:
            return None
        if held.holder is Holder.QUEUE and not wants_bot_back(draft.text):
            return None
        try:
            entry = await self.log.append(replace(draft, only_if=held, moves_to=_BOT))
        except HolderChanged:
            return None  # somebody was faster: the message is theirs
        self._recent.forget(draft.conversation)
        return entry

    async def _settle(self, asked: Entry, outcome: Outcome) -> None:
        """Close a message whose turn did not: the customer is told, and it is not answered twice."""
        await self._append(asked, phrases.NOTICES[outcome], {"outcome": outcome, "notice": outcome}, outcome)

    async def _append(self, asked: Entry, text: str, data: dict[str, object], outcome: Outcome) -> Entry | None:
        """Append what settles a message; nothing when somebody has taken the conversation over meanwhile."""
        entry = None
        is_notice = "notice" in data
        draft = Draft(
            conversation=asked.conversation,
            speaker=Speaker.SYSTEM if is_notice else Speaker.BOT,
            kind=Kind.NOTICE if is_notice else Kind.MESSAGE,
            text=text,
            data=data,
            answers=asked.seq,
            only_if=_BOT,
            moves_to=Held(holder=Holder.QUEUE) if outcome is Outcome.HANDED_OVER else None,
        )
        try:
            entry = await self.log.append(draft)
            self._recent.note(entry)
        except HolderChanged:
            logger.info("conversation %s: message %d is left to the human who took over", asked.conversation, asked.seq)
        if draft.moves_to:
            self._recent.forget(asked.conversation)
        self.live.end(asked.conversation)
        return entry


def _account(asked: Entry, customer: CustomerId) -> Account:
    return Account(customer=customer, conversation=asked.conversation, seq=asked.seq)
