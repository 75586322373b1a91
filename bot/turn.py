"""The flow of a turn: what happens to a customer's message, in order. The file to read first."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bot.accounts import Account
from bot.answer import Answerer
from bot.bearing import Bearing, load_bearing
from bot.check import check_answer
from bot.clerk import Clerk
from bot.decide import Understood, decide, explain, read_limits
from bot.domain import Entry, Escalation, Outcome, Reading, Reason, Reply, Standing, Turn, WritingRecord
from bot.errors import PromptInvalid
from bot.handover import hand_over, name_ticket, settle_offer
from bot.intents import Route
from bot.mind import Mind, Recalled
from bot.question import Question, read_question
from bot.reading import MessageReader, Unread, decide_after, is_small_talk
from bot.rewriting import Rewritten, join_records
from bot.settings import Settings
from bot.standing import move_on, read_standing
from bot.tone import Tone, read_tone
from bot.tools.errands import Acted, propose
from bot.trace import Trace
from bot.wording import put_below, tell_masked, word
from bot.writer import Writer, Written
from bot.writing import Show
from knowledge.document import Found, Search

logger = logging.getLogger(__name__)

_PASSAGES = 12
"""Passages a turn looks at: enough to hold most of the best article."""
_NO_REPLY = Reply(outcome=Outcome.ABSTAINED, text="")


def show_nobody(text: str) -> None:
    """A replay is shown to no customer."""


@dataclass(slots=True, kw_only=True)
class Occasion:
    """What a turn has at hand: the message, the entries before it, whose it is, who acts, remembers and shows.

    A replay acts on nothing, remembers nothing and shows nobody.
    """

    asked: Entry
    earlier: Sequence[Entry]
    account: Account
    show: Show = show_nobody
    clerk: Clerk | None = None
    mind: Mind | None = None
    recalled: Recalled = field(default_factory=Recalled)
    trace: Trace = field(default_factory=Trace)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came of looking for an answer: the question as it was searched for, the reply, and what it rests on."""

    question: str = ""
    reply: Reply = _NO_REPLY
    found: Found | None = None
    writing: WritingRecord | None = None
    acted: Acted | None = None


class Flow:
    """Works out what the bot does about a message; whoever calls it appends and shows."""

    def __init__(self, settings: Settings, search: Search, writer: Writer | None, reader: MessageReader | None) -> None:
        self._settings = settings
        self._search = search
        self._writer = writer
        self._reader = reader or Unread()
        self._bearing = Bearing(self._reader, search, load_bearing())
        self._answerer = Answerer(search, settings)
        self._limits = read_limits(settings)

    async def run(self, now: Occasion) -> Turn:
        """What the bot does about a message; appends nothing."""
        asked, earlier, trace = now.asked, now.earlier, now.trace
        standing = read_standing(earlier)
        question = read_question(asked, earlier, self._settings.country)

        if now.clerk and standing == Standing():
            standing = Standing(flags=await now.clerk.flags(now.account))

        if now.mind:
            with trace.step("recall") as step:
                now.recalled = await now.mind.recall(asked, earlier, now.account.customer)
                step.note = f"{len(now.recalled.lines)} messages, {len(now.recalled.facts.splitlines())} facts"

        with trace.step("read") as step:
            seen = await self._reader.read(question.text, question.history, standing)
            step.note = f"{seen.reading.intent} {seen.reading.confidence:.2f}, frustration {seen.reading.frustration}"

        tone = read_tone(asked, seen, standing, self._settings)

        with trace.step("decide") as step:
            escalation = decide(seen.signals, self._limits)
            step.note = explain(escalation)

        answered = Answered()
        if escalation and not escalation.offer:
            answered = Answered(reply=await self._hand_over(now, seen, tone, escalation))
        elif said := settle_offer(asked, seen.signals) or await self._about(now):
            answered, escalation = Answered(reply=Reply(outcome=Outcome.GREETED, text=said)), None
        else:
            answered, escalation = await self._respond(now, question, seen, tone)

        reply = tell_masked(answered.reply, asked)
        return Turn(
            asked=asked,
            question=answered.question or question.text,
            found=answered.found,
            reply=reply,
            steps=trace.steps,
            writing=answered.writing,
            acted=answered.acted.data if answered.acted else {},
            reading=seen.reading,
            escalation=escalation,
            standing=move_on(standing, seen, tone, reply.outcome, escalation),
        )

    async def _respond(
        self, now: Occasion, question: Question, seen: Understood, tone: Tone
    ) -> tuple[Answered, Escalation | None]:
        """Do what is asked, or answer it; then decide once more, now that the reply is known."""
        answered, acted = Answered(), await self._act(now, seen.reading, tone)
        if acted and not acted.below:
            reply = Reply(outcome=acted.outcome, text=acted.words)
        else:
            small_talk = is_small_talk(seen.reading)
            question = replace(question, tone=tone.for_model, template=seen.reading.template, is_small_talk=small_talk)
            recalled = now.recalled
            question = replace(question, facts=recalled.facts, stated=recalled.stated, lines=recalled.lines)
            answered = await self._answer(now, question, seen.reading, tone)
            reply = put_below(answered.reply, acted)
            acted = answered.acted or acted

        with now.trace.step("decide again") as step:
            escalation = decide_after(seen, reply, found=answered.found, acted=acted, tone=tone, limits=self._limits)
            step.note = explain(escalation)
        if escalation and not escalation.offer:
            reply = await self._hand_over(now, seen, tone, escalation)
            return replace(answered, reply=reply, acted=None), escalation
        return replace(answered, reply=word(reply, tone, seen, escalation), acted=acted), escalation

    async def _about(self, now: Occasion) -> str:
        """What a customer reads who asks what we know about them, or to be forgotten; "" for anybody else."""
        return await now.mind.about(now.asked.text, now.account.customer, now.recalled) if now.mind else ""

    async def _act(self, now: Occasion, reading: Reading, tone: Tone) -> Acted | None:
        """What is looked up or done without a model, one question at a time; None: the articles answer."""
        if now.clerk is None or tone.narrowed:
            return None
        with now.trace.step("act") as step:
            acted = await now.clerk.act(now.asked, now.earlier, now.account, reading)
            step.note = f"{acted.outcome}, {len(acted.records)} calls" if acted else "nothing to do"
        return acted

    async def _hand_over(self, now: Occasion, seen: Understood, tone: Tone, escalation: Escalation) -> Reply:
        """The words with which a human takes over, with the number of the ticket that follows it up."""
        reply = hand_over(escalation, seen.signals.crisis, self._settings.country, tone.begins)
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
        found = await self._retrieve(question, reading, trace)

        rewritten = Rewritten()
        if writer and writer.wants_rewriting(question, found):
            with trace.step("rewrite") as step:
                rewritten = await writer.rewrite(question, account)
                step.note = rewritten.note
            if rewritten.question:
                question = rewritten.question
                found = await self._retrieve(question, reading, trace)

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

    async def _retrieve(self, question: Question, reading: Reading, trace: Trace) -> Found:
        with trace.step("retrieve") as step:
            found = await self._search.search(question.text, question.context, limit=_PASSAGES)
            weighed = await self._bearing.weigh(found, reading)
            step.note = f"{len(found.passages)} passages, answerable {weighed.answerability:.2f}"
            if weighed is not found:
                step.note += f" ({found.answerability:.2f} by the search alone)"
        return weighed

    async def prepare(self) -> None:
        """Read what the articles are about, which takes a second, before the first customer waits for it."""
        found = await self._search.search("help", limit=_PASSAGES)
        await self._bearing.weigh(found, Reading(intent="", confidence=0.0))

    def close(self) -> None:
        """Release what reads messages."""
        self._reader.close()
