"""The flow of a turn: what happens to a customer's message, in order. The file to read first."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bot import phrases
from bot.accounts import DEVELOPERS, Account
from bot.answer import Answerer
from bot.check import check_answer
from bot.clerk import Clerk
from bot.decide import Understood, decide, explain, read_limits
from bot.dispatch import Dispatch
from bot.domain import (
    ClientId,
    ConversationId,
    CustomerId,
    Draft,
    Entry,
    EntryId,
    Escalation,
    Held,
    Holder,
    Kind,
    Outcome,
    Reading,
    Reason,
    Reply,
    Speaker,
    Turn,
    WritingRecord,
)
from bot.errors import ConversationUnknown, HolderChanged, NotYours, PromptInvalid
from bot.guard import guard
from bot.handover import hand_over, name_ticket, settle_offer, wants_bot_back
from bot.intents import Route
from bot.limits import MessageRate
from bot.live import Live
from bot.llm.members import ProviderStatus
from bot.log import ConversationLog
from bot.question import Question, read_question
from bot.reading import MessageReader, Unread, decide_after
from bot.recent import KEPT, Recent
from bot.rewriting import Rewritten, join_records
from bot.settings import Settings
from bot.standing import move_on, read_standing
from bot.tone import Tone, read_tone
from bot.tools.errands import Acted, propose
from bot.trace import Trace, turn_data
from bot.wording import put_below, tell_masked, word
from bot.writer import Writer, Written
from bot.writing import Show
from knowledge.document import Found, Search

logger = logging.getLogger(__name__)

_BOT = Held(holder=Holder.BOT)
_PASSAGES = 12
"""Passages a turn looks at: enough to hold most of the best article."""


_NO_REPLY = Reply(outcome=Outcome.ABSTAINED, text="")


def show_nobody(text: str) -> None:
    """A replay is shown to no customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """What a turn has at hand: the message, the entries before it, whose it is, and who acts and shows; a replay neither."""

    asked: Entry
    earlier: Sequence[Entry]
    account: Account
    show: Show = show_nobody
    clerk: Clerk | None = None
    trace: Trace = field(default_factory=Trace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of looking for an answer: the question as it was searched for, the reply, and what it rests on."""

    question: str = ""
    reply: Reply = _NO_REPLY
    found: Found | None = None
    writing: WritingRecord | None = None
    acted: Acted | None = None


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
    ) -> None:
        self.settings = settings
        self.log = log
        self.search = search
        self.live = Live()
        self._writer = writer
        self._reader = reader or Unread()
        self._clerk = clerk
        self._limits = read_limits(settings)
        self._answerer = Answerer(search, settings)
        self._recent = Recent(log)
        self._rate = MessageRate(settings.messages_per_minute)
        self._dispatch = Dispatch(
            self.take_turn, self._settle, deadline_seconds=settings.turn_seconds, waiting=settings.waiting_messages
        )

    @property
    def writes(self) -> bool:
        """Whether replies are written, so that there is something to show before they are finished."""
        return self._writer is not None

    @property
    def providers(self) -> Sequence[ProviderStatus]:
        """How the providers fare, in the order in which they are asked."""
        return self._writer.providers if self._writer else ()

    async def start(self) -> None:
        """Take up the messages that a crash left unanswered."""
        self._dispatch.wake(await self.log.unanswered())

    async def accept(
        self, conversation: ConversationId, customer: CustomerId, text: object, client_id: ClientId | None = None
    ) -> Entry:
        """Commit a customer's message, then return its entry; its turn follows by itself.

        A repeat of a client id returns the first entry and gives no second reply. Raises MessageRefused (its reason is for
        the customer), NotYours or LogUnavailable; then nothing was stored.
        """
        message = guard(text, self.settings.message_max_chars, self.settings.country)
        await self._rate.check(customer)
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
        show = partial(self.live.show, asked.conversation, asked.seq)
        turn = await self._turn(Occasion(asked=asked, earlier=earlier, account=account, show=show, clerk=self._clerk))
        await self._append(asked, turn.reply.text, turn_data(turn), turn.reply.outcome)

    async def _turn(self, now: Occasion) -> Turn:
        """What the bot does about a message; appends nothing."""
        asked, earlier, trace = now.asked, now.earlier, now.trace
        standing = read_standing(earlier)
        question = read_question(asked, earlier, self.settings.country)

        with trace.step("read") as step:
            seen = await self._reader.read(question.text, question.history, standing)
            step.note = f"{seen.reading.intent} {seen.reading.confidence:.2f}, frustration {seen.reading.frustration}"

        tone = read_tone(asked, seen, standing, self.settings)

        with trace.step("decide") as step:
            escalation = decide(seen.signals, self._limits)
            step.note = explain(escalation)

        answered, acted = Answered(), None
        if escalation and not escalation.offer:
            reply = await self._hand_over(now, seen, escalation)
        elif said := settle_offer(asked, seen.signals):
            reply, escalation = Reply(outcome=Outcome.GREETED, text=said), None
        else:
            acted = await self._act(now, seen.reading, tone)
            if acted and not acted.below:
                reply = Reply(outcome=acted.outcome, text=acted.words)
            else:
                question = replace(question, tone=tone.for_model, template=seen.reading.template)
                answered = await self._answer(now, question, seen.reading, tone)
                reply = put_below(answered.reply, acted)
                acted = answered.acted or acted

            with trace.step("decide again") as step:
                escalation = decide_after(seen, reply, found=answered.found, acted=acted, tone=tone, limits=self._limits)
                step.note = explain(escalation)
            if escalation and not escalation.offer:
                reply, acted = await self._hand_over(now, seen, escalation), None
            else:
                reply = word(reply, tone, seen, escalation)
        reply = tell_masked(reply, asked)

        return Turn(
            asked=asked,
            question=answered.question or question.text,
            found=answered.found,
            reply=reply,
            steps=trace.steps,
            writing=answered.writing,
            acted=acted.data if acted else {},
            reading=seen.reading,
            escalation=escalation,
            standing=move_on(standing, seen, tone, reply.outcome, escalation),
        )

    async def _act(self, now: Occasion, reading: Reading, tone: Tone) -> Acted | None:
        """What is looked up or done without a model, one question at a time; None: the articles answer."""
        if now.clerk is None or tone.narrowed:
            return None
        with now.trace.step("act") as step:
            acted = await now.clerk.act(now.asked, now.earlier, now.account, reading)
            step.note = f"{acted.outcome}, {len(acted.records)} calls" if acted else "nothing to do"
        return acted

    async def _hand_over(self, now: Occasion, seen: Understood, escalation: Escalation) -> Reply:
        """The words with which a human takes over, with the number of the ticket that follows it up."""
        reply = hand_over(escalation, seen.signals.crisis, self.settings.country)
        if now.clerk is None:
            return reply
        number = await now.clerk.open_ticket(now.asked, now.account, seen.reading, escalation)
        return name_ticket(reply, number) if escalation.reason is not Reason.CRISIS else reply

    async def _answer(self, now: Occasion, question: Question, reading: Reading, tone: Tone) -> Answered:
        """What the articles say to the question, and what was found for it.

        Where a model writes, each sentence is checked before it is shown (`writer`); what is quoted is checked here.
        """
        trace, account = now.trace, now.account
        writer = None if tone.narrowed else self._writer
        tools = now.clerk.begin(account, reading) if writer and now.clerk else None
        found = await self._retrieve(question, trace)

        rewritten = Rewritten()
        if writer and writer.wants_rewriting(question, found):
            with trace.step("rewrite") as step:
                rewritten = await writer.rewrite(question, account)
                step.note = rewritten.note
            if rewritten.question:
                question = rewritten.question
                found = await self._retrieve(question, trace)

        with trace.step("answer") as step:
            answer = await self._answerer.answer(question, found, question.template)
            step.note = f"{answer.outcome}, {len(answer.blocks)} blocks"

        written = Written()
        if writer and (self._answerer.is_writable(answer, found) or (tools and reading.route == Route.TOOL)):
            with trace.step("write") as step:
                try:
                    written = await writer.write(question, answer, found, now.show, account, tools=tools)
                    step.note = written.note
                except PromptInvalid as invalid:
                    logger.error("conversation %s: the articles are quoted: %s", account.conversation, invalid)
                    step.note = f"quoted: {invalid}"

        with trace.step("check") as step:
            otherwise = partial(self._answerer.abstain, found)
            if written.declined and answer.outcome is Outcome.ANSWERED:
                answer = otherwise()
            reply = written.reply or check_answer(answer, otherwise)
            step.note = f"{reply.outcome}, {len(reply.citations)} citations, {len(reply.dropped)} sentences dropped"
        acted = propose(tools) if tools else None
        if acted:
            reply = Reply(outcome=acted.outcome, text=acted.words)
        writing = join_records(rewritten.record, written.record)
        return Answered(question=question.text, reply=reply, found=found, writing=writing, acted=acted)

    async def _retrieve(self, question: Question, trace: Trace) -> Found:
        with trace.step("retrieve") as step:
            found = await self.search.search(question.text, question.context, limit=_PASSAGES)
            step.note = f"{len(found.passages)} passages, answerable {found.answerability:.2f}"
        return found

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
            return await self._turn(Occasion(asked=asked, earlier=earlier, account=_account(asked, DEVELOPERS)))

    async def resume(self, conversation: ConversationId) -> None:
        """Take up what is unanswered in a conversation that a customer opens again."""
        if not self._dispatch.busy(conversation):
            self._dispatch.wake(await self.log.unanswered(conversation))

    async def stop(self, conversation: ConversationId, customer: CustomerId) -> None:
        """Cut the reply in flight. Raises NotYours or ConversationUnknown."""
        await self._own(conversation, customer)
        self._dispatch.stop(conversation)

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
        if self._writer:
            await self._writer.close()
        if self._clerk:
            await self._clerk.close()
        self._reader.close()
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

    async def _append(self, asked: Entry, text: str, data: dict[str, object], outcome: Outcome) -> None:
        """Append what settles a message; nothing when somebody has taken the conversation over meanwhile."""
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
            self._recent.note(await self.log.append(draft))
        except HolderChanged:
            logger.info("conversation %s: message %d is left to the human who took over", asked.conversation, asked.seq)
        if draft.moves_to:
            self._recent.forget(asked.conversation)
        self.live.end(asked.conversation)


def _account(asked: Entry, customer: CustomerId) -> Account:
    return Account(customer=customer, conversation=asked.conversation, seq=asked.seq)
