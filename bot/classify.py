"""Classify: what a customer's message is about. Keywords settle what they match; the classifier reads the rest."""

import hashlib
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np

from bot.classifier import Classifier, Judgement, label_examples
from bot.clauses import clauses, readable
from bot.course import FOLLOW_UP, Course, Topics
from bot.intents import Intents, Route
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
SURE_CHANCE = 0.9
"""A message whose best intent is likelier than this is not taken apart."""
FOR_PEOPLE = "human"
"""The intent of a message that asks for a person, where the file has it: it says nothing of what for."""
LEARNED_AS = "follow-ups, halves"
"""Changes when the same file is learned in another way, so that what was kept before is not taken for it."""
SHIPPED = Path(__file__).with_name("data") / "intents"
"""Where the file of the product's own intents lies, learned by `python -m bot intents`."""
LONG_WORDS = 30
"""A message of so many words that is about nothing as a whole is read by its surest part."""
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentGuess:
    """What a message is about: `confidence` in [0, 1] that it is right, `also` further intents, likeliest first.

    Out of scope, `name` is the file's declined intent. A message without letters is out of scope with confidence 0. `topics`
    are chances of what the conversation is about after it.
    """

    name: str
    confidence: float
    also: tuple[str, ...]
    in_scope: bool
    by: Literal["keyword", "model"]
    topics: Topics = field(default_factory=dict)


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
        self._course = _course_over(intents, classifier, self._off_topic)

    def read(self, message: str, topics: Topics | None = None) -> IntentGuess:
        """The intent of a message: of one by itself, or in a conversation that is about these topics (empty: its first).

        The message's vector is the embedder's remembered one, which the search needs too.
        """
        text = readable(message)
        if self._spelling:
            text = self._spelling.correct(text)
        if not text:
            return IntentGuess(
                name=self._off_topic, confidence=0.0, also=(), in_scope=False, by="model", topics=topics or {}
            )
        judged = self._judge(text, topics)
        matched = self._keywords(text)
        parts = [] if judged.accepted and judged.chances.max() > SURE_CHANCE else self._parts(text, topics)
        guess = self._settled(matched, judged, parts) if matched else self._guessed(text, judged, parts)
        return replace(guess, topics=self._moved(guess, judged, topics or {}))

    def subject(self, texts: Sequence[str]) -> Topics:
        """What texts that belong together are about: the mean chance of each intent and, last, of the declined one."""
        judged = [self._judge(readable(text), None) for text in texts]
        chances = [np.append(one.chances * one.in_scope, 1 - one.in_scope) for one in judged]
        return dict(zip(self._course.names, np.mean(chances, axis=0).tolist(), strict=True)) if chances else {}

    def settle(self, topics: Topics, name: str) -> Topics:
        """What a conversation is about once a rule has read a message as `name`."""
        return self._course.settle(topics, name)

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

    def _judge(self, text: str, topics: Topics | None) -> Judgement:
        alone = self._classifier.judge(text, self._embedder.embed_query(text))
        return self._course.alone(alone) if topics is None else self._course.judge(alone, topics)

    def _moved(self, guess: IntentGuess, judged: Judgement, topics: Topics) -> Topics:
        moved = self._course.move(judged, topics)
        return self._course.settle(moved, guess.name) if guess.by == "keyword" else moved

    def _parts(self, text: str, topics: Topics | None) -> list[Judgement]:
        """The parts of a message that are surely about something, surest first."""
        parts = clauses(text)
        if not parts:
            return []
        judged = [self._judge(part, None if topics is None else {}) for part in parts]
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
        return self._course.names[judged.best] if judged.accepted else self._off_topic


def _course_over(intents: Intents, classifier: Classifier, declined: str) -> Course:
    courtesies = [one.name for one in intents.intents if one.route is Route.COURTESY]
    return Course.over(classifier.names, declined, courtesies, [FOR_PEOPLE] if intents.named(FOR_PEOPLE) else [])


def open_reader(intents: Intents, embedder: Embedder, cache: Path, shipped: Path = SHIPPED) -> IntentReader:
    """A reader of these intents: as shipped, as kept in `cache` since they were learned (both by content), or learned."""
    name, spelling = model_name(intents), spelling_of(intents, embedder)
    kept = cache / name
    for file in (shipped / name, kept):
        try:
            return IntentReader(intents, load_classifier(file), embedder, spelling)
        except ModelFileUnreadable as unreadable:
            if file.exists():
                logger.warning("the intents are learned anew: %s", unreadable)
    logger.info("learning %d intents, once for this file", len(intents.intents))
    classifier = fit_intents(intents, embedder)
    try:
        save_classifier(classifier, kept)
    except OSError as error:
        logger.warning("%s cannot be written (%s): the intents are learned again at the next start", kept, error.strerror)
    return IntentReader(intents, classifier, embedder, spelling)


def model_name(intents: Intents) -> str:
    """The name of the file of what is learned: another for other intents, another embedder or another way of learning."""
    return hashlib.sha256(f"{intents.digest} {FINGERPRINT} {LEARNED_AS}".encode()).hexdigest()[:24] + ".npz"


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
    rows += [(correct(example), FOLLOW_UP) for example in intents.follow_ups]
    examples = label_examples(rows, declined.name if declined else OFF_TOPIC)
    vectors = embedder.embed_texts([*examples.texts, *examples.titles])
    return Classifier.fit(examples, vectors.astype(np.float16).astype(np.float32))  # as they are kept
