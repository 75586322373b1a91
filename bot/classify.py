"""Classify: what a customer's message is about. Keywords settle what they match; the classifier reads the rest."""

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from bot.classifier import Classifier, Judgement, label_examples
from bot.clauses import clauses, readable
from bot.intents import Intents
from bot.model_file import ModelFileUnreadable, load_classifier, save_classifier
from knowledge.document import DocumentId
from knowledge.embed import FINGERPRINT, Embedder
from knowledge.spelling import Spelling

logger = logging.getLogger(__name__)

OFF_TOPIC = "off_topic"
"""What an out-of-scope message is called where the file names no declined intent."""
KEYWORD_CONFIDENCE = 0.95
"""Of a keyword: high precision is what they are for, and what reading the file checks against all examples."""
TEMPLATE_CONFIDENCE = 0.9
"""An intent gives its vetted answer from this confidence on; chosen: a wrong one costs more than a search."""
ALSO_CHANCE = 0.5
"""A part of a message names a further intent from this confidence on."""
SURE_CHANCE = 0.75
"""A message whose best intent is likelier than this is not taken apart."""
STAYS = 0.75
"""How often a message goes on with the conversation's intent; the next one is the odds that it is off topic then, the last
how much less a message in a conversation says by its own words (its chances to this power): it leaves out what is known.

From the middle of the best values on the 138 later messages of evals/transcripts/larkfield-dev.jsonl (docs/decisions/0020).
"""
LEAVES = 0.05
LEANS = 0.6
IN_CONTEXT_ABOVE = 0.5
LEARNED_AS = "spelt"
"""Changes when the same file is learned in another way, so that what was kept before is not taken for it."""
LONG_WORDS = 30
"""A message of so many words that is about nothing as a whole is read by its surest part."""
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentGuess:
    """What a message is about: `confidence` in [0, 1] that it is right, `also` further intents, likeliest first.

    Out of scope, `name` is the file's declined intent. A message without letters is out of scope with confidence 0.
    """

    name: str
    confidence: float
    also: tuple[str, ...]
    in_scope: bool
    by: Literal["keyword", "model"]


class IntentReader:
    """Reads messages; safe from several threads."""

    def __init__(
        self, intents: Intents, classifier: Classifier, embedder: Embedder, spelling: Spelling | None = None
    ) -> None:
        """With a `spelling`, slips of the keyboard are set right before a message is read."""
        self._intents = intents
        self._spelling = spelling
        self._classifier = classifier
        self._embedder = embedder
        declined = intents.out_of_scope
        self._off_topic = declined.name if declined else OFF_TOPIC

    def read(self, message: str, before: str = "") -> IntentGuess:
        """The intent of a message; in a conversation that is about the intent `before`, a message may go on with that.

        The message's vector is the embedder's remembered one, which the search needs too.
        """
        text = readable(message)
        if self._spelling:
            text = self._spelling.correct(text)
        if not text:
            return IntentGuess(name=self._off_topic, confidence=0.0, also=(), in_scope=False, by="model")
        judged = self._classifier.judge(text, self._embedder.embed_query(text))
        if before in self._classifier.names:
            judged = go_on(judged, self._classifier.names.index(before))
        matched = self._keywords(text)
        parts = [] if judged.accepted and judged.chances.max() > SURE_CHANCE else self._parts(text)
        return self._settled(matched, judged, parts) if matched else self._guessed(text, judged, parts)

    def route(self, name: str) -> str | None:
        """The route of an intent, or None where the file has no such intent."""
        return next((one.route for one in self._intents.intents if one.name == name), None)

    def template(self, guess: IntentGuess) -> DocumentId | None:
        """The article whose vetted answer a sure reading gives, where the file names one."""
        if guess.confidence < TEMPLATE_CONFIDENCE:
            return None
        return next((one.answer for one in self._intents.intents if one.name == guess.name), None)

    def _keywords(self, text: str) -> list[str]:
        """Intents with a keyword in the text, in the file's order."""
        return [one.name for one in self._intents.intents if any(keyword.search(text) for keyword in one.keywords)]

    def _settled(self, matched: Sequence[str], judged: Judgement, parts: Sequence[Judgement]) -> IntentGuess:
        """What the keywords say first, then what the classifier is sure of."""
        sure = [judged, *parts] if judged.accepted and judged.confidence >= ALSO_CHANCE else parts
        also = dict.fromkeys([*matched, *(self._named(one) for one in sure)])
        del also[matched[0]]
        in_scope = matched[0] != self._off_topic
        return IntentGuess(name=matched[0], confidence=KEYWORD_CONFIDENCE, also=tuple(also), in_scope=in_scope, by="keyword")

    def _parts(self, text: str) -> list[Judgement]:
        """The parts of a message that are surely about something, surest first."""
        parts = clauses(text)
        if not parts:
            return []
        judged = [self._classifier.judge(part, self._embedder.embed_query(part)) for part in parts]
        sure = [one for one in judged if one.accepted and one.confidence >= ALSO_CHANCE]
        return sorted(sure, key=lambda one: -one.confidence)

    def _guessed(self, text: str, judged: Judgement, parts: Sequence[Judgement]) -> IntentGuess:
        lost = not judged.accepted and parts and len(text.split()) >= LONG_WORDS
        first = parts[0] if lost else judged
        also = dict.fromkeys(self._named(part) for part in parts if first.accepted)
        also.pop(self._named(first), None)
        return IntentGuess(
            name=self._named(first), confidence=first.confidence, also=tuple(also), in_scope=first.accepted, by="model"
        )

    def _named(self, judged: Judgement) -> str:
        return self._classifier.names[judged.best] if judged.accepted else self._off_topic


def go_on(judged: Judgement, before: int) -> Judgement:
    """The judgement in a conversation that is about intent number `before`: by Bayes, most messages stay with it.

    "How long does that take?" says nothing by itself and is about what was said before.
    """
    prior = np.full(len(judged.chances), (1 - STAYS) / len(judged.chances))
    prior[before] += STAYS
    said = judged.chances**LEANS
    likely = said / said.sum() * prior
    inside = judged.in_scope * likely.sum() * len(judged.chances)
    outside = (1 - judged.in_scope) * LEAVES
    return Judgement(chances=likely / likely.sum(), in_scope=float(inside / (inside + outside)), threshold=IN_CONTEXT_ABOVE)


def open_reader(intents: Intents, embedder: Embedder, cache: Path) -> IntentReader:
    """A reader of these intents: fitted, or as fitted before and kept in the folder `cache` by content."""
    key = hashlib.sha256(f"{intents.digest} {FINGERPRINT} {LEARNED_AS}".encode()).hexdigest()[:24]
    kept, spelling = cache / f"{key}.npz", spelling_of(intents, embedder)
    try:
        return IntentReader(intents, load_classifier(kept), embedder, spelling)
    except ModelFileUnreadable as missing:
        logger.info("the intents are learned anew: %s", missing)
    classifier = fit_intents(intents, embedder)
    try:
        save_classifier(classifier, kept)
    except OSError as error:
        logger.warning("%s cannot be written (%s): the intents are learned again at the next start", kept, error.strerror)
    return IntentReader(intents, classifier, embedder, spelling)


def spelling_of(intents: Intents, embedder: Embedder) -> Spelling:
    """Corrects towards the examples' words; one that is no common word and comes once is a slip itself."""
    written = [word for one in intents.intents for example in one.examples for word in _WORD.findall(example.casefold())]
    return Spelling(
        (word for word, often in Counter(written).items() if often > 1 or embedder.is_common(word)), embedder.is_common
    )


def fit_intents(intents: Intents, embedder: Embedder) -> Classifier:
    """Learn the file's examples, with slips of the keyboard set right as in what is read later."""
    declined, correct = intents.out_of_scope, spelling_of(intents, embedder).correct
    rows = [(correct(example), intent.name) for intent in intents.intents for example in intent.examples]
    examples = label_examples(rows, declined.name if declined else OFF_TOPIC)
    return Classifier.fit(examples, embedder.embed_texts([*examples.texts, *examples.titles]))
