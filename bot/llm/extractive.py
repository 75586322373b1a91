"""The extractive answerer: quotes the passages that answer, whole and in order. It needs no provider and no key."""

from collections.abc import Sequence

from bot.domain import Answer, Block, Outcome
from knowledge.document import Article, Found, Passage

MOST_WORDS = 170
"""Length of an answer, in words; a list that opens it is never cut for it."""
CLOSE = 0.8
"""Another passage of the same article joins the answer when its score is this share of the best one's."""


def extract(found: Found, article: Article) -> Answer:
    """The best passage's section, and what else of its article scored close, in reading order, under the article's title."""
    chosen = _choose(found, article)
    blocks = [Block(text=f"**{article.document.title}**")]
    heading = ""
    for number, passage in enumerate(chosen, start=1):
        if passage.heading != heading and passage.heading:
            blocks.append(Block(text=f"**{passage.heading.rpartition(' > ')[2]}**"))
        heading = passage.heading
        blocks.append(Block(text=passage.text, cites=(number,)))
    return Answer(outcome=Outcome.ANSWERED, blocks=tuple(blocks), passages=tuple(chosen))


def _choose(found: Found, article: Article) -> list[Passage]:
    scores = {passage.id: passage.score for passage in found.passages}
    best = max(article.passages, key=lambda passage: scores.get(passage.id, 0.0))
    section = [passage for passage in article.passages if passage.heading == best.heading]
    close = [p for p in article.passages if scores.get(p.id, 0.0) >= CLOSE * scores.get(best.id, 0.0) > 0]
    ranked = [best, *_by_distance(section, best), *sorted(close, key=lambda p: -scores[p.id])]
    return sorted(_within(ranked), key=lambda passage: passage.position)


def _by_distance(section: Sequence[Passage], best: Passage) -> list[Passage]:
    """The rest of the section, what follows the best passage before what stands ahead of it."""
    return sorted(section, key=lambda p: (abs(p.position - best.position), p.position < best.position))


def _within(ranked: Sequence[Passage]) -> list[Passage]:
    """The passages that fit, in the order of worth; the first always does."""
    kept: dict[str, Passage] = {}
    words = 0
    for passage in ranked:
        length = len(passage.text.split())
        if passage.id not in kept and (not kept or words + length <= MOST_WORDS):
            kept[passage.id] = passage
            words += length
    return list(kept.values())
