"""Plays the real bot over labelled transcripts and counts what it got right, what it declined and what it got wrong."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import uuid4

from bot.bot import Bot
from bot.domain import ConversationId, CustomerId, Entry, Outcome
from evals.transcripts import CustomerTurn, Expected, Transcript

_SPACE = re.compile(r"\s+")


class Verdict(StrEnum):
    """How one reply compares with what was expected of it."""

    CORRECT = "correct"
    """An acceptable outcome and, for an answer, a right document and every fact."""
    DECLINED = "declined"
    """An honest "I don't know" or a question back where an answer was possible."""
    INCOMPLETE = "incomplete"
    """From a right document, without a fact that decides."""
    WRONG = "wrong"
    """An answer from no right document, one where none was possible, or one that says what it must not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One message, the reply and its verdict; `why` names what was missing."""

    transcript: str
    asked: str
    reply: Entry
    verdict: Verdict
    why: str


async def play_and_judge(bot: Bot, transcripts: Sequence[Transcript]) -> list[Judged]:
    """Each transcript as a conversation of its own with the bot, judged message by message."""
    judged: list[Judged] = []
    for transcript in transcripts:
        conversation = ConversationId(str(uuid4()))
        for turn in transcript.turns:
            reply = await _ask(bot, conversation, turn)
            if not turn.expect.outcomes:
                continue  # nobody said what a good reply is here
            verdict, why = judge(turn.expect, reply)
            judged.append(Judged(transcript=transcript.id, asked=turn.customer, reply=reply, verdict=verdict, why=why))
    return judged


def judge(expected: Expected, reply: Entry) -> tuple[Verdict, str]:
    """The verdict on one reply, and why it is not better."""
    outcome = Outcome(reply.data["outcome"])
    text = _fold(reply.text)
    if said := [words for words in expected.must_not if _fold(words) in text]:
        return Verdict.WRONG, f"says {said[0]!r}"
    if outcome is not Outcome.ANSWERED:
        return (Verdict.CORRECT, "") if outcome in expected.outcomes else (Verdict.DECLINED, outcome)
    if Outcome.ANSWERED not in expected.outcomes:
        return Verdict.WRONG, "answers what the articles do not hold"
    cited = {citation["document"] for citation in reply.data["citations"]}
    if expected.cite and not cited & set(expected.cite):
        return Verdict.WRONG, f"cites {', '.join(sorted(cited))}"
    missing = [fact[0] for fact in expected.must if not any(_fold(spelling) in text for spelling in fact)]
    return (Verdict.INCOMPLETE, f"lacks {missing[0]!r}") if missing else (Verdict.CORRECT, "")


def count(judged: Sequence[Judged]) -> dict[Verdict, int]:
    """How many replies got each verdict."""
    counted = Counter(one.verdict for one in judged)
    return {verdict: counted[verdict] for verdict in Verdict}


async def _ask(bot: Bot, conversation: ConversationId, turn: CustomerTurn) -> Entry:
    asked = await bot.accept(conversation, CustomerId("evals"), turn.customer)
    async with asyncio.timeout(bot.settings.turn_seconds + 5):
        async for entry in bot.log.follow(conversation, asked.seq):
            if entry.answers == asked.seq:
                return entry
    raise AssertionError("follow ended")


def _fold(text: str) -> str:
    return _SPACE.sub(" ", text.replace("**", "").replace("’", "'")).casefold()
