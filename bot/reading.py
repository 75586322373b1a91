"""Reads a message: what it is about, how its customer feels, and every signal that the rules of `bot.decide` look at."""

import asyncio
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from bot.abuse import find_abuse
from bot.answer import UNSURE_ABOVE
from bot.asking import asks_for_human
from bot.classify import KEYWORD_CONFIDENCE, IntentGuess, IntentReader
from bot.consent import read_consent
from bot.crisis import crisis_pieces, find_crisis
from bot.decide import ENGLISH, Limits, Signals, Understood, decide
from bot.domain import Escalation, Outcome, Reading, Reply, Standing
from bot.intents import Route
from bot.nearness import Near, Nearness
from bot.plain import plain
from bot.sentiment import Mood, MoodReader, read_trend
from bot.settings import Settings
from bot.standing import does_insist, has_need, is_in_vain
from bot.tone import Tone
from bot.tools.errands import Acted
from bot.topics import find_topics
from knowledge.document import Found
from knowledge.embed import Embedder

THREADS = 2
AGAIN_ABOVE, FEWEST_WORDS, EARLIER = 0.8, 4, 3
"""The cosine from which a message of so many words asks again what one of the last few asked."""
UNSURE_INTENT, SURE_INTENT = 0.35, 0.8
"""Below these confidences an intent speaks against no topic and no danger (docs/decisions/0022-escalation.md)."""
ORDINARY_ABOVE, AGREED_ABOVE = 0.92, 0.5
"""Nearness to danger that counts in a message read as another matter, and to a request for a person in one read as such."""
SMALL_TALK_ABOVE = 0.4
"""On 494 development conversations all 18 messages above it that ask nothing are small talk; one below is not."""
CALM_BELOW = 0.4
STORY_WORDS, STORY_ABOVE = 60, 0.9
"""Parts of a message of so many words count from this nearness on: on the development conversations what such parts found
below it was false but for one."""
IN_DANGER, FOR_HUMAN = "extra_care", "human"
"""The intents of a message that tells of danger, and of one that asks for a person: the rules know better."""


class MessageReader:
    """Reads messages in threads of its own; what it needs is loaded once (seconds), a message takes milliseconds."""

    def __init__(
        self, intents: IntentReader, moods: MoodReader, nearness: Nearness, embedder: Embedder, settings: Settings
    ) -> None:
        self._intents = intents
        self._moods = moods
        self._nearness = nearness
        self._embedder = embedder
        self._settings = settings
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="reading")

    async def read(self, text: str, earlier: Sequence[str], standing: Standing) -> Understood:
        """The message after the customer's earlier ones, oldest first, in a conversation that stands like this."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read_now, text, earlier, standing)

    def read_now(self, text: str, earlier: Sequence[str], standing: Standing) -> Understood:
        """The same, blocking."""
        guess = self._intents.read(text, standing.topics or ({standing.intent: 1.0} if standing.intent else {}))
        mood = self._moods.read(text, earlier)
        known = self._alarms(text, earlier, guess)
        crisis, asked = known.crisis, known.asked
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
        return Understood(reading=reading, signals=self._signals(text, reading, mood, standing, known))

    def subject(self, texts: Sequence[str]) -> Mapping[str, float]:
        """What the texts of an article are about, as messages are read; blocks."""
        return self._intents.subject(texts)

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
        topics = known.topics
        consent = read_consent(text) if standing.offered else None
        insistence = mood.features.get("insistence", 0.0)
        insists = consent is None and does_insist(standing, reading, insistence, known.insists)
        flags = frozenset(standing.flags) | {topic.flag for topic in topics if topic.flag}
        return replace(
            known,
            consent=consent,
            abuse_before=standing.abuse,
            frustration=mood.frustration,
            trend=reading.trend,
            language=reading.language,
            unhelped=standing.unhelped + 1 if insists else 0,
            insists=insists,
            in_vain=is_in_vain(standing),
            turns=standing.turns,
            flags=flags,
            turns_since_offer=standing.since_offer,
        )

    def _alarms(self, text: str, earlier: Sequence[str], guess: IntentGuess) -> Signals:
        """What patterns and nearness to written examples find: danger, a wish for a person, topics, abuse, a reply in vain.

        Nearness that the intent speaks against counts for less. A message of one piece is compared by its own vector, which
        the search needs too: it decides the same.
        """
        pieces, above = crisis_pieces(text), self._settings
        whole = self._near(text)
        parts = [whole] if pieces == (plain(text),) else [self._near(one) for one in pieces]
        found = [(text, whole), *zip(pieces, parts, strict=True)]

        def near(name: str) -> list[tuple[str, Near]]:
            return [(piece, one[name]) for piece, one in found]

        may_be = partial(self._may_be, guess)
        danger_above = above.crisis_near_above
        if not may_be([IN_DANGER], SURE_INTENT):
            danger_above = max(ORDINARY_ABOVE, danger_above)
        asking_above = above.asking_near_above if guess.name != FOR_HUMAN else min(AGREED_ABOVE, above.asking_near_above)
        sensitive_above = above.sensitive_near_above
        if len(text.split()) > STORY_WORDS:  # so many parts, of which one may come near by chance
            danger_above, sensitive_above = max(STORY_ABOVE, danger_above), max(STORY_ABOVE, sensitive_above)
        return Signals(
            crisis=find_crisis(
                text, [one["crisis"] for one in parts], danger_above, lambda words: self._near(words)["crisis"]
            ),
            asked=asks_for_human(text, near("asking"), asking_above),
            topics=find_topics(text, near("sensitive"), sensitive_above, may_be),
            abuse=find_abuse(text, near("abuse"), above.abuse_near_above),
            insists=self._asks_again(text, earlier)
            or any(one.score > above.unhelped_near_above for _, one in near("unhelped")),
        )

    def _may_be(self, guess: IntentGuess, names: Sequence[str], sure_above: float = UNSURE_INTENT) -> bool:
        """Whether a message that was read like this may be about one of these intents; of intents nobody has, it may."""
        known = {name for name in names if self._intents.route(name) is not None}
        return not known or guess.confidence < sure_above or not known.isdisjoint((guess.name, *guess.also))

    def _near(self, text: str) -> Mapping[str, Near]:
        return self._nearness.near(self._embedder.embed_query(text))

    def _asks_again(self, text: str, earlier: Sequence[str]) -> bool:
        """Whether a message means what one of the last few did; their vectors are remembered."""
        if len(text.split()) < FEWEST_WORDS:
            return False
        vector = self._embedder.embed_query(text)
        return any(float(vector @ self._embedder.embed_query(one)) > AGAIN_ABOVE for one in earlier[-EARLIER:])


class Unread:
    """Reads nothing, so that no rule ever fires: for tests of the rest."""

    async def read(self, text: str, earlier: Sequence[str], standing: Standing) -> Understood:
        """A message of which nothing is known."""
        return Understood(reading=Reading(intent="", confidence=0.0), signals=Signals())

    def subject(self, texts: Sequence[str]) -> Mapping[str, float]:
        """Nothing is known of subjects."""
        return {}

    def close(self) -> None:
        """Nothing to end."""


def is_small_talk(reading: Reading) -> bool:
    """Whether the intents say that a message is nothing but a greeting, thanks, a goodbye or good news."""
    calm = reading.frustration is None or reading.frustration < CALM_BELOW  # "thanks for nothing" is none
    return reading.route == Route.COURTESY and reading.confidence >= SMALL_TALK_ABOVE and calm


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
        return replace(seen.signals, unhelped=0, insists=False)  # what failed before is no reason any more
    if reply.outcome is not Outcome.ABSTAINED or seen.signals.abuse or tone.narrowed or is_foreign:
        return seen.signals
    answerability = found.answerability if found else 0.0
    if not has_need(seen.reading) and answerability < UNSURE_ABOVE:
        return seen.signals
    return replace(
        seen.signals,
        in_vain=True,
        answerability=answerability,
        supported=False if reply.dropped else None,
    )
