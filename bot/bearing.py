"""How surely the article found first answers: the search's answerability beside what the message and the article are about.

A search knows how near the words are, not that "moving 3 wks" is about moving home and that one article is, too. The intents
know; articles are read by them as messages are. Where the intents file is not about what the articles are about (another
company's, on whose articles they were not written), nothing is changed.
"""

import asyncio
import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from bot.answer import rank_articles
from bot.domain import Reading
from bot.fitted import load_fitted
from knowledge.document import Article, DocumentId, Found, Search

logger = logging.getLogger(__name__)

BEARING = Path(__file__).resolve().parent / "data" / "bearing.json"
FEATURES = ("log odds of the search", "same subject", "confidence", "in scope", "lead")
HEADINGS = 8
"""Sections of an article that are read for its subject."""
SUITS_FROM, SUITS_FULLY = 0.45, 0.7
"""Of the share that articles' likeliest intents have on average: below the first the intents are another company's.
Larkfield's reach .86 on its own articles, .42 or less on those of three public sets (docs/decisions/0045-bearing.md)."""
UNLIKELY, FLOOR = 0.02, 0.03
SHORTEST = 1e-3
"""No probability is taken for surer than this, either way."""
KEPT = 4096

Subject = Mapping[str, float]


class Subjects(Protocol):
    """Tells what texts are about."""

    def subject(self, texts: Sequence[str]) -> Subject:
        """The chance of each intent, of the declined one too; empty where nothing is known of subjects."""
        ...


class BearingModel(BaseModel):
    """A logistic regression over FEATURES, kept as data (`bot/data/bearing.json`); `origin` says from what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str
    bias: float
    weights: tuple[float, float, float, float, float]

    def log_odds(self, features: Sequence[float]) -> float:
        """Of the article that leads being the one that answers."""
        return self.bias + sum(weight * value for weight, value in zip(self.weights, features, strict=True))


def load_bearing(path: Path = BEARING) -> BearingModel:
    """Read the fitted model. Raises SettingsInvalid naming the file."""
    return load_fitted(path, BearingModel, "bearing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The articles of one version of the knowledge: what they are about on average, and how far the intents suit them."""

    average: Subject
    suits: float


class Bearing:
    """Corrects what a search found by what the message is about; an article is read once for each version."""

    def __init__(self, subjects: Subjects, search: Search, model: BearingModel) -> None:
        self._subjects = subjects
        self._search = search
        self._model = model
        self._shelves: dict[str, Shelf] = {}
        self._read: dict[tuple[str, DocumentId], Subject] = {}
        self._reading = asyncio.Lock()

    async def weigh(self, found: Found, reading: Reading) -> Found:
        """The same passages with a corrected answerability."""
        if not found.passages:
            return found
        shelf = await self.shelf(found.version)
        if not shelf.suits:
            return found
        features = await self.features(found, reading, shelf)
        log_odds = shelf.suits * self._model.log_odds(features) + (1 - shelf.suits) * features[0]
        return replace(found, answerability=1 / (1 + math.exp(-log_odds)))

    async def features(self, found: Found, reading: Reading, shelf: Shelf) -> tuple[float, ...]:
        """The numbers of FEATURES for the article that leads."""
        first, *others = rank_articles(found)
        ours = await self._subject(found.version, first.passage.document)
        sure = min(max(found.answerability, SHORTEST), 1 - SHORTEST)
        lead = min(1.0, first.score / max(others[0].score, 1e-6) - 1) if others else 1.0
        return (
            math.log(sure / (1 - sure)),
            agreement(reading.topics, ours, shelf.average),
            reading.confidence,
            float(reading.in_scope),
            lead,
        )

    async def shelf(self, version: str) -> Shelf:
        """The articles of this version; reading the first time takes a second."""
        async with self._reading:
            if version not in self._shelves:
                self._shelves = {version: await self._look(version)}
            return self._shelves[version]  # while nobody else can put another version in its place

    async def _look(self, version: str) -> Shelf:
        contents = await self._search.contents()
        read = [await self._subject(version, document) for document in contents.some]
        known = [one for one in read if one]
        if not known:
            return Shelf(average={}, suits=0.0)
        average = {name: sum(one[name] for one in known) / len(known) for name in known[0]}
        likeliest = sum(max(one.values()) for one in known) / len(known)
        suits = min(1.0, max(0.0, (likeliest - SUITS_FROM) / (SUITS_FULLY - SUITS_FROM)))
        if not suits:
            logger.warning("the intents file is about other things than the articles (%.2f): write your own", likeliest)
        return Shelf(average=average, suits=suits)

    async def _subject(self, version: str, document: DocumentId) -> Subject:
        key = (version, document)
        if key not in self._read:
            article = await self._search.article(document)
            texts = sections(article) if article else []
            self._read[key] = await asyncio.to_thread(self._subjects.subject, texts)
            if len(self._read) > KEPT:
                del self._read[next(iter(self._read))]
        return self._read[key]


def sections(article: Article) -> list[str]:
    """The article's title with each of its first headings, as one would ask for them."""
    title = article.document.title
    headings = dict.fromkeys(passage.heading for passage in article.passages if passage.heading)
    return [f"{title}. {heading}" for heading in list(headings)[:HEADINGS]] or [title]


def agreement(message: Subject, article: Subject, average: Subject) -> float:
    """How much likelier the message's intents are for this article than for any: a log ratio, 0 for no more likely."""
    if not message or not article:
        return 0.0
    total = sum(message.values())
    share = sum(
        chance / total * (article.get(name, 0.0) + UNLIKELY) / (average.get(name, 0.0) + UNLIKELY)
        for name, chance in message.items()
    )
    return math.log(share + FLOOR)
