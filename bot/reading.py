"""Reads a message: what it is about, how its customer feels, and every signal that the rules of `bot.decide` look at."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from bot.abuse import find_abuse
from bot.answer import UNSURE_ABOVE
from bot.asking import asks_for_human
from bot.classify import KEYWORD_CONFIDENCE, IntentGuess, IntentReader
from bot.consent import read_consent
from bot.crisis import Crisis, crisis_pieces, find_crisis
from bot.decide import ENGLISH, Limits, Signals, Understood, decide
from bot.domain import Escalation, Outcome, Reading, Reply, Standing
from bot.intents import Route
from bot.nearness import Nearness
from bot.plain import plain
from bot.sentiment import Mood, MoodReader, read_trend
from bot.standing import does_insist, has_need, not_helped
from bot.tone import Tone
from bot.tools.errands import Acted
from bot.topics import find_topics
from knowledge.document import Found
from knowledge.embed import Embedder

THREADS = 2
IN_DANGER, FOR_HUMAN = "extra_care", "human"
"""The intents of a message that tells of danger, and of one that asks for a person: the rules know better."""


class MessageReader:
    """Reads messages in threads of its own; what it needs is loaded once (seconds), a message takes milliseconds."""

    def __init__(
        self, intents: IntentReader, moods: MoodReader, nearness: Nearness, embedder: Embedder, crisis_near_above: float
    ) -> None:
        self._intents = intents
        self._moods = moods
        self._nearness = nearness
        self._embedder = embedder
        self._crisis_near_above = crisis_near_above
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="reading")

    async def read(self, text: str, earlier: Sequence[str], standing: Standing) -> Understood:
        """The message after the customer's earlier ones, oldest first, in a conversation that stands like this."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read_now, text, earlier, standing)

    def read_now(self, text: str, earlier: Sequence[str], standing: Standing) -> Understood:
        """The same, blocking."""
        guess = self._intents.read(text, standing.topics or ({standing.intent: 1.0} if standing.intent else {}))
        mood = self._moods.read(text, earlier)
        crisis, asked = self._crisis(text), asks_for_human(text)
        if settled := IN_DANGER if crisis else FOR_HUMAN if asked else "":
            guess = self._settled(settled, guess)
        reading = Reading(
            intent=guess.name,
            confidence=round(guess.confidence, 3),
            also=guess.also,
            in_scope=guess.in_scope,
            route=self._intents.route(guess.name) or Route.DECLINE,
            template=self._intents.template(guess),
            polarity=mood.polarity,
            frustration=mood.frustration,
            trend=read_trend([*standing.frustrations, mood.frustration]),
            language=mood.language,
            signs=mood.signs,
            topics=guess.topics,
        )
        known = Signals(crisis=crisis, asked=asked)
        return Understood(reading=reading, signals=self._signals(text, reading, mood, standing, known))

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown()

    def _settled(self, name: str, guess: IntentGuess) -> IntentGuess:
        """The guess with the intent that a rule knows, where the intents file has it."""
        if self._intents.route(name) is None:
            return guess
        also = dict.fromkeys([guess.name, *guess.also] if guess.in_scope else guess.also)
        also.pop(name, None)
        topics = self._intents.settle(guess.topics, name)
        return replace(
            guess, name=name, confidence=KEYWORD_CONFIDENCE, also=tuple(also), in_scope=True, by="keyword", topics=topics
        )

    def _signals(self, text: str, reading: Reading, mood: Mood, standing: Standing, known: Signals) -> Signals:
        topics = find_topics(text)
        insistence = mood.features.get("insistence", 0.0)
        flags = frozenset(standing.flags) | {topic.flag for topic in topics if topic.flag}
        return replace(
            known,
            consent=read_consent(text) if standing.offered else None,
            abuse=find_abuse(text),
            abuse_before=standing.abuse,
            topics=topics,
            frustration=mood.frustration,
            trend=reading.trend,
            language=reading.language,
            unhelped=not_helped(standing, reading, insistence),
            insists=does_insist(reading, insistence),
            turns=standing.turns,
            flags=flags,
            turns_since_offer=standing.since_offer,
        )

    def _crisis(self, text: str) -> Crisis | None:
        """A message of one piece is compared by its own vector, which the search needs too: it decides the same."""
        pieces = crisis_pieces(text)
        sought = [text] if pieces == (plain(text),) else pieces
        near = [self._nearness.near(self._embedder.embed_query(piece)) for piece in sought]
        return find_crisis(text, near, self._crisis_near_above)


class Unread:
    """Reads nothing, so that no rule ever fires: for tests of the rest."""

    async def read(self, text: str, earlier: Sequence[str], standing: Standing) -> Understood:
        """A message of which nothing is known."""
        return Understood(reading=Reading(intent="", confidence=0.0), signals=Signals())

    def close(self) -> None:
        """Nothing to end."""


def decide_after(  # noqa: PLR0913  all that a turn knows at its end
    seen: Understood, reply: Reply, *, found: Found | None, acted: Acted | None, tone: Tone, limits: Limits
) -> Escalation | None:
    """The decision once the reply is known; nothing is offered beside a question that is still open."""
    signals = signals_after(seen, reply, found, tone)
    if acted:
        signals = replace(signals, failure=acted.failure)
    escalation = decide(signals, limits) or (acted.escalation if acted else None)
    return None if acted and acted.open and escalation and escalation.offer else escalation


def signals_after(seen: Understood, reply: Reply, found: Found | None, tone: Tone) -> Signals:
    """The signals once the reply is known: whether the articles had an answer, and whether it held.

    Small talk escalates nothing, and nobody is offered a human for an insult, an order to the bot, or a matter that is not
    the company's.
    """
    if reply.outcome is Outcome.GREETED:
        return Signals()
    is_foreign = seen.reading.language not in ENGLISH
    if reply.outcome is Outcome.ANSWERED:
        return replace(seen.signals, unhelped=0)  # what failed before is no reason any more
    if reply.outcome is not Outcome.ABSTAINED or seen.signals.abuse or tone.narrowed or is_foreign:
        return seen.signals
    answerability = found.answerability if found else 0.0
    if not has_need(seen.reading) and answerability < UNSURE_ABOVE:
        return seen.signals
    return replace(
        seen.signals,
        unhelped=seen.signals.unhelped + has_need(seen.reading),
        answerability=answerability,
        supported=False if reply.dropped else None,
    )
