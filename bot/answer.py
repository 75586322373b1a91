"""The answer step: greets, answers from the passages, asks back between two articles, or says that it does not know."""

import re
from collections.abc import Sequence
from dataclasses import replace

from bot import phrases
from bot.domain import Answer, Block, Choice, Outcome, passage_url
from bot.llm.extractive import extract
from bot.question import Question
from bot.settings import Settings
from knowledge.document import Found, Passage, Search
from knowledge.lexical import words

RIVAL = 0.8
"""A second article is a rival when its best passage reaches this share of the first one's score."""
NEAREST = 3
"""Articles named at most, when the bot asks back or does not know."""
NEAR_ABOVE = 0.1
"""Below this answerability even the nearest article is far off, and naming it would be noise."""

_COURTESIES = (
    (re.compile(r"(hi|hiya|hey|hello|good (morning|afternoon|evening)|yo)( there| all| team)?"), phrases.GREETING),
    (
        re.compile(r"(ok |okay |great |perfect |brilliant )?(thanks|thank you|thx|ta|cheers)( so much| a lot| very much)?"),
        phrases.THANKS,
    ),
    (re.compile(r"(ok |okay )?(bye|goodbye|good bye|see you|bye bye)( now| then)?"), phrases.GOODBYE),
    (
        re.compile(
            r"(are you|am i (talking|speaking|chatting) (to|with)) an? (bot|robot|ai|human|person|real person|machine)"
        ),
        phrases.WHO,
    ),
    (re.compile(r"(who|what) are you"), phrases.WHO),
)
_FILLER = frozenset("want need please help like hello hi hey".split())
_NOT_A_LETTER = re.compile(r"[^a-z ]+")


class Answerer:
    """Proposes an answer to a question from what was found; without a provider it quotes."""

    def __init__(self, search: Search, settings: Settings) -> None:
        self._search = search
        self._answerable_above = settings.answerable_above
        self._names = {"company": settings.company, "assistant": settings.assistant}

    async def answer(self, question: Question, found: Found) -> Answer:
        """One of: a courtesy, an answer with passages, a question back with choices, or an honest "I don't know"."""
        if courtesy := _courtesy(question.text):
            return self._say(Outcome.GREETED, courtesy)
        best = question.document or (found.passages[0].document if found.passages else None)
        if best is None or (question.document is None and found.answerability < self._answerable_above):
            return self.abstain(found)
        if question.document is None and len(rivals := _rivals(question, found)) > 1:
            return self._ask_back(rivals)
        article = await self._search.article(best)
        return extract(found, article) if article else self.abstain(found)

    def abstain(self, found: Found) -> Answer:
        """Say so, and name the nearest articles where they are near at all; the customer may choose one of them."""
        nearest = _first_per_document(found)[:NEAREST]
        if not nearest or found.answerability < NEAR_ABOVE:
            return self._say(Outcome.ABSTAINED, f"{phrases.DO_NOT_KNOW} {phrases.NOTHING_NEAR}")
        text = f"{phrases.DO_NOT_KNOW}\n\n{phrases.NEAREST}\n\n{_list(nearest)}\n\n{phrases.ASK_DIFFERENTLY}"
        return Answer(outcome=Outcome.ABSTAINED, blocks=(Block(text=text),), choices=_choices(nearest))

    def _ask_back(self, rivals: Sequence[Passage]) -> Answer:
        text = f"{phrases.WHICH_ONE}\n\n{_list(rivals)}\n\n{phrases.WHICH_REPLY}"
        return Answer(outcome=Outcome.ASKED_BACK, blocks=(Block(text=text),), choices=_choices(rivals))

    def _say(self, outcome: Outcome, phrase: str) -> Answer:
        return Answer(outcome=outcome, blocks=(Block(text=phrase.format(**self._names)),))


def _courtesy(text: str) -> str | None:
    """The phrase for a message that is nothing but a greeting, a thank-you, a goodbye or "who are you"."""
    plain = " ".join(_NOT_A_LETTER.sub(" ", text.casefold()).split())
    return next((phrase for pattern, phrase in _COURTESIES if pattern.fullmatch(plain)), None)


def _rivals(question: Question, found: Found) -> tuple[Passage, ...]:
    """Articles between which the question cannot choose: all that it says stands in the titles of both.

    "How do I cancel?" fits "Cancel broadband" and "Cancel a mobile plan" alike; one more telling word, now or in an earlier
    message, and it does not.
    """
    best, *others = _first_per_document(found)
    asked = set(words(question.text)) - _FILLER
    before = set(words(" ".join(question.history)))
    title = set(words(best.title))
    rivals = [best]
    for other in others:
        theirs = set(words(other.title))
        if other.score >= RIVAL * best.score and asked <= title & theirs and not before & (title ^ theirs):
            rivals.append(other)
    return tuple(rivals[:NEAREST])


def _first_per_document(found: Found) -> list[Passage]:
    """The best passage of each document, best first."""
    first: dict[str, Passage] = {}
    for passage in found.passages:
        first.setdefault(passage.document, passage)
    return list(first.values())


def _choices(passages: Sequence[Passage]) -> tuple[Choice, ...]:
    return tuple(Choice(document=passage.document, title=passage.title) for passage in passages)


def _list(passages: Sequence[Passage]) -> str:
    """The articles as a numbered list of links to their beginning."""
    tops = (replace(passage, position=0) for passage in passages)
    return "\n".join(f"{n}. [{top.title}]({passage_url(top)})" for n, top in enumerate(tops, start=1))
