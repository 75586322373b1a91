"""Vetted answers: words that somebody wrote and approved for an article, given in place of a quote and of a written reply.

They are checked as everything else is. One that its article does not bear, because the article changed or because the answer
says more, is given in no part: half of what was approved is not what was approved.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain import Answer, Block, Outcome
from bot.support import SUPPORTED, makes_claim, support
from knowledge.document import Article, Passage
from knowledge.sentences import split_sentences

logger = logging.getLogger(__name__)

MOST_CITED = 3
"""Passages that one paragraph may rest on."""
_PARAGRAPHS = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetted(Answer):
    """An answer in vetted words; nobody writes another in its place."""


def vetted_answer(article: Article) -> Vetted | None:
    """The article's vetted answer with the passages it rests on; None where it has none, or where they do not bear it."""
    used: list[Passage] = []
    blocks = []
    for paragraph in filter(str.strip, _PARAGRAPHS.split(article.document.answer)):
        text = paragraph.strip("\n")
        cites = _resting_on(text, article.passages)
        if lost := _unsupported(text, cites):
            logger.warning("the vetted answer of %s is not given: its article does not bear %r", article.document.id, lost)
            return None
        used += [passage for passage in cites if passage not in used]
        blocks.append(Block(text=text, cites=tuple(used.index(passage) + 1 for passage in cites)))
    if not used:
        return None
    return Vetted(outcome=Outcome.ANSWERED, blocks=tuple(blocks), passages=tuple(used))


def _resting_on(text: str, passages: Sequence[Passage]) -> tuple[Passage, ...]:
    """The fewest passages that together bear the text best, in reading order; none for a courtesy."""
    if not makes_claim(text):
        return ()
    chosen: list[Passage] = []
    best = 0.0
    while len(chosen) < MOST_CITED:
        scored = [(_bearing(text, [*chosen, passage]), -passage.position, passage) for passage in passages]
        score, _, passage = max(scored, key=lambda one: one[:2], default=(0.0, 0, None))
        if passage is None or score <= best:
            break
        chosen.append(passage)
        best = score
    return tuple(sorted(chosen or passages[:1], key=lambda passage: passage.position))


def _bearing(text: str, passages: Sequence[Passage]) -> float:
    """How far the passages bear the text, sentence by sentence, in [0, 1]."""
    sources = _sources(passages)
    sentences = split_sentences(text)
    return sum(support(sentence, sources) for sentence in sentences) / max(1, len(sentences))


def _unsupported(text: str, cites: Sequence[Passage]) -> str | None:
    sources = _sources(cites)
    return next((one for one in split_sentences(text) if cites and support(one, sources) < SUPPORTED), None)


def _sources(passages: Sequence[Passage]) -> list[str]:
    return [f"{passage.title}\n{passage.heading}\n{passage.text}" for passage in passages]
