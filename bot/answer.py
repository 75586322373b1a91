"""The answer step: greets, answers from the passages, asks back between two articles, or says that it does not know."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot import phrases
from bot.courtesy import find_courtesy, find_small_talk
from bot.domain import Answer, Block, Choice, Outcome, passage_url
from bot.llm.extractive import extract
from bot.named import of_another_name
from bot.question import Question
from bot.settings import Settings
from bot.several import split_questions
from bot.vetted import Vetted, vetted_answer
from knowledge.document import Article, DocumentId, Found, Passage, Search
from knowledge.lexical import words
from knowledge.rank import LEADING

BESIDE, BESIDE_LATER = 1.1, 1.2
"""An article whose score is less than this times the next one's is quoted beside it, at the beginning and later on: to pick
from two short quotes takes a customer less than a question back, and what a follow-up is about is less sure."""
RIVAL = 0.8
"""A second article may be a rival when it reaches this share of the first one's score."""
ARTICLES_KEPT = 256
"""Articles kept in memory after they were quoted."""
NEAREST = 3
"""Articles named at most when the bot asks back or does not know, or quoted when a message asks several things."""
FEWEST_QUESTIONS = 2
UNSURE_ABOVE = 0.3
"""From this answerability on the bot asks whether one of the nearest articles is meant, below it says it does not know."""
NEAR_ABOVE = 0.1
"""Below this answerability even the nearest article is far off, and naming it would be noise."""

_FILLER = frozenset("want need please help like hello hi hey".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An article that may hold the answer: its best passage, and the score of the article as a whole."""

    passage: Passage
    score: float


class Answerer:
    """Proposes an answer to a question from what was found; without a provider it quotes."""

    def __init__(self, search: Search, settings: Settings) -> None:
        self._search = search
        self._articles: dict[tuple[str, DocumentId], Article | None] = {}
        self._vetted_answers: dict[tuple[str, DocumentId], Vetted | None] = {}
        self._answerable_above = settings.answerable_above
        self._names = {"company": settings.company, "assistant": settings.assistant}

    async def answer(self, question: Question, found: Found, template: DocumentId | None = None) -> Answer:
        """One of: a courtesy, an answer with passages, a question back with choices, or an honest "I don't know".

        `template` is an article whose vetted answer comes before all that was found; one without is passed over.
        """
        small_talk = find_small_talk(question.text) if question.is_small_talk else None
        if courtesy := find_courtesy(question.text) or small_talk:
            return self._say(Outcome.GREETED, courtesy, found)
        if template and (vetted := await self._vetted(template, found)):
            return vetted
        if question.document:
            return await self._quote(question, found, question.document)
        return await self._from_found(question, found)

    async def _from_found(self, question: Question, found: Found) -> Answer:
        if several := await self._several(question, found):
            return several
        articles = _as_named(question, rank_articles(found))
        if not articles or found.answerability < UNSURE_ABOVE:
            return self.abstain(found)
        if found.answerability < self._answerable_above:
            return self._ask_back(phrases.UNSURE, [candidate.passage for candidate in articles[:NEAREST]])
        if len(rivals := _rivals(question, articles)) > 1:
            return self._ask_back(phrases.WHICH_ONE, rivals)
        return await self._quote(question, found, *leading(articles, BESIDE_LATER if question.history else BESIDE))

    async def _several(self, question: Question, found: Found) -> Answer | None:
        """What answers the questions of one message together; None where it asks but one, or where nothing does."""
        several = split_questions(question.text)
        if len(several.questions) < FEWEST_QUESTIONS:
            return None
        before = (*question.context, several.about) if several.about else question.context
        parts = [
            await self._search.search(one, (*before, *several.questions[:place]), limit=len(found.passages))
            for place, one in enumerate(several.questions)
        ]
        sure = [part for part in (found, *parts) if part.passages and part.answerability >= self._answerable_above]
        if found not in sure and 2 * len(sure) <= len(parts):
            return None  # one answer among many questions is more likely luck
        documents = tuple(dict.fromkeys(rank_articles(part)[0].passage.document for part in sure))[:NEAREST]
        answer = await self._quote(question, join_found(found, sure), *documents)
        left = [one for one, part in zip(several.questions, parts, strict=True) if part not in sure]
        if sure[0] is found or not left:
            return answer
        told = phrases.REST_NOT_FOUND.format(questions="; ".join(f"“{one}”" for one in left))
        return replace(answer, blocks=(*answer.blocks, Block(text=told)))

    async def _quote(self, question: Question, found: Found, *documents: DocumentId) -> Answer:
        if vetted := await self._vetted(documents[0], found):
            return vetted
        held = [await self._article(document, found.version) for document in documents]
        articles = [article for article in held if article]
        return extract(found, *articles, seen=question.quoted) if articles else self.abstain(found)

    async def _vetted(self, document: DocumentId, found: Found) -> Vetted | None:
        """The article's vetted answer, if it has one that it bears."""
        key = (found.version, document)
        if key not in self._vetted_answers:
            article = await self._article(document, found.version)
            self._vetted_answers[key] = vetted_answer(article) if article else None
            if len(self._vetted_answers) > ARTICLES_KEPT:
                del self._vetted_answers[next(iter(self._vetted_answers))]
        return self._vetted_answers[key]

    async def _article(self, document: DocumentId, version: str) -> Article | None:
        """The article; the last ones asked for are kept, per version of the knowledge."""
        key = (version, document)
        if key not in self._articles:
            self._articles[key] = await self._search.article(document)
            if len(self._articles) > ARTICLES_KEPT:
                del self._articles[next(iter(self._articles))]
        return self._articles[key]

    def is_writable(self, answer: Answer, found: Found) -> bool:
        """Whether a model may write in the place of `answer`: an answer, or what the bot is unsure of.

        Not in the place of a courtesy, nor of vetted words.
        """
        if isinstance(answer, Vetted):
            return False
        unsure = answer.outcome in (Outcome.ASKED_BACK, Outcome.ABSTAINED) and found.answerability < self._answerable_above
        return answer.outcome is Outcome.ANSWERED or (unsure and found.answerability >= NEAR_ABOVE)

    def abstain(self, found: Found) -> Answer:
        """Say so, and name the nearest articles where they are near at all; the customer may choose one of them."""
        nearest = [candidate.passage for candidate in rank_articles(found)[:NEAREST]]
        if not nearest or found.answerability < NEAR_ABOVE:
            return self._say(Outcome.ABSTAINED, f"{phrases.DO_NOT_KNOW} {phrases.NOTHING_NEAR}", found)
        text = f"{phrases.DO_NOT_KNOW}\n\n{phrases.NEAREST}\n\n{_list(nearest)}\n\n{phrases.ASK_DIFFERENTLY}"
        return Answer(outcome=Outcome.ABSTAINED, blocks=(Block(text=text),), choices=_choices(nearest))

    def _ask_back(self, opening: str, rivals: Sequence[Passage]) -> Answer:
        text = f"{opening}\n\n{_list(rivals)}\n\n{phrases.WHICH_REPLY}"
        return Answer(outcome=Outcome.ASKED_BACK, blocks=(Block(text=text),), choices=_choices(rivals))

    def _say(self, outcome: Outcome, phrase: str, found: Found) -> Answer:
        text = phrase.format(**self._names, about=phrases.about(found.topics))
        return Answer(outcome=outcome, blocks=(Block(text=text),))


def _rivals(question: Question, articles: Sequence[Candidate]) -> tuple[Passage, ...]:
    """Articles between which the question cannot choose: all that it says stands in the titles of both.

    "How do I cancel?" fits "Cancel broadband" and "Cancel a mobile plan" alike; one more telling word, now or in an earlier
    message, and it does not.
    """
    best, *others = articles
    asked = set(words(question.text)) - _FILLER
    before = set(words(" ".join(question.history)))
    title = set(words(best.passage.title))
    rivals = [best.passage]
    for other in others:
        theirs = set(words(other.passage.title))
        if other.score >= RIVAL * best.score and asked <= title & theirs and not before & (title ^ theirs):
            rivals.append(other.passage)
    return tuple(rivals[:NEAREST])


def rank_articles(found: Found) -> list[Candidate]:
    """The documents of the passages found, best first, each with its best passage.

    An article counts with its three best passages: one that speaks of the matter throughout is the better source than one
    that mentions it once. On 45 development questions the first article is right for 39 so, for 34 by its best passage.
    """
    scores: dict[str, list[Passage]] = {}
    for passage in found.passages:
        scores.setdefault(passage.document, []).append(passage)
    ranked = [
        Candidate(passage=passages[0], score=sum(w * p.score for w, p in zip(LEADING, passages, strict=False)))
        for passages in scores.values()
    ]
    return sorted(ranked, key=lambda candidate: -candidate.score)


def _as_named(question: Question, articles: Sequence[Candidate]) -> list[Candidate]:
    """The articles without those of another product than the one that the question, or what came before it, names."""
    titles = [article.passage.title for article in articles]
    said = (question.text, *reversed(question.history))
    others = next(filter(None, (of_another_name(text, titles) for text in said)), frozenset())
    return [article for article in articles if article.passage.title not in others]


def join_found(found: Found, parts: Sequence[Found]) -> Found:
    """What was found for several questions as one: a passage counts as a share of the best of its article for a question."""
    best: dict[str, Passage] = {}
    for part in parts:
        highest: dict[DocumentId, float] = {}
        for passage in part.passages:
            share = passage.score / max(highest.setdefault(passage.document, passage.score), 1e-6)
            if passage.id not in best or best[passage.id].score < share:
                best[passage.id] = replace(passage, score=share)
    return replace(found, passages=tuple(sorted(best.values(), key=lambda passage: -passage.score)))


def leading(articles: Sequence[Candidate], beside: float) -> tuple[DocumentId, ...]:
    """The article to quote from, or the first two where the first does not lead by the factor `beside`."""
    first, *others = articles
    close = [one for one in others[:1] if first.score < beside * one.score]
    return tuple(one.passage.document for one in (first, *close))


def _choices(passages: Sequence[Passage]) -> tuple[Choice, ...]:
    return tuple(Choice(document=passage.document, title=passage.title) for passage in passages)


def _list(passages: Sequence[Passage]) -> str:
    """The articles as a numbered list of links to their beginning."""
    tops = (replace(passage, position=0) for passage in passages)
    return "\n".join(f"{n}. [{top.title}]({passage_url(top)})" for n, top in enumerate(tops, start=1))
