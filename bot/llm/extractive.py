"""The extractive answerer: quotes the passages that answer, whole and in order. It needs no provider and no key."""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from functools import lru_cache
from itertools import groupby

from bot.domain import Answer, Block, Outcome
from bot.llm.stream import Event, Finished, Limits, Request, Text
from knowledge.document import Article, Found, Passage, PassageId

MOST_WORDS = 200
"""Length of an answer, in words; the passage that answers best is never cut for it, and a list never at all."""
BESIDE_WORDS = 90
"""Length of what each article gives where two of them may hold the answer."""
CLOSE = 0.8
"""Another section joins the answer when its score is this share of the best one's, and it fits."""
SEEN = 0.95
"""What a passage counts that the customer has been shown already: another of about the same worth comes before it."""

COUNTED = 4096
"""Passages of which it is remembered how many words they have."""

Section = tuple[Passage, ...]
Scores = Mapping[PassageId, float]


def extract(found: Found, *articles: Article, seen: Collection[PassageId] = ()) -> Answer:
    """What answers best, under title and headings: of one article its opening and best sections, of several their best.

    `seen` are the passages that the customer has been shown.
    """
    scores = {one.id: one.score * (SEEN if one.id in seen else 1) for one in found.passages}
    blocks: list[Block] = []
    chosen: list[Passage] = []
    for article in articles:
        room = MOST_WORDS if len(articles) == 1 else BESIDE_WORDS
        passages = _choose(article.passages, scores, room, seen)
        blocks += _blocks(article, passages, len(chosen) + 1)
        chosen += passages
    return Answer(outcome=Outcome.ANSWERED, blocks=tuple(blocks), passages=tuple(chosen))


def _blocks(article: Article, passages: Sequence[Passage], first: int) -> list[Block]:
    blocks = [Block(text=f"**{article.document.title}**")]
    heading = ""
    for number, passage in enumerate(passages, start=first):
        if passage.heading != heading and passage.heading:
            blocks.append(Block(text=f"**{passage.heading.rpartition(' > ')[2]}**"))
        heading = passage.heading
        blocks.append(Block(text=passage.text, cites=(number,)))
    return blocks


def _choose(passages: Sequence[Passage], scores: Scores, room: int, seen: Collection[PassageId]) -> list[Passage]:
    sections = [tuple(section) for _, section in groupby(passages, key=lambda passage: passage.heading)]
    opening = sections[0] if len(sections) > 1 and not sections[0][0].heading else ()
    ranked = sorted(sections[1:] if opening else sections, key=lambda section: -_score(section, scores))
    if opening and room < MOST_WORDS and _score(opening, scores) > _score(ranked[0], scores):
        ranked.insert(0, opening)
    best = _best(ranked[0], scores)
    wanted = [best, *(one for one in opening if one.id not in seen), *_by_distance(ranked[0], best)]
    for other in ranked[1:]:
        if _score(other, scores) >= CLOSE * _score(ranked[0], scores) > 0:
            wanted += other
    return sorted(_within(wanted, room), key=lambda passage: passage.position)


def _score(section: Section, scores: Scores) -> float:
    return max(scores.get(passage.id, 0.0) for passage in section)


def _best(section: Section, scores: Scores) -> Passage:
    return max(section, key=lambda passage: scores.get(passage.id, 0.0))


def _by_distance(section: Section, best: Passage) -> list[Passage]:
    """The section from its best passage outwards, what follows before what stands ahead."""
    return sorted(section, key=lambda passage: (abs(passage.position - best.position), passage.position < best.position))


def _within(wanted: Sequence[Passage], room: int) -> list[Passage]:
    """The passages that fit, in the order of worth; the first always does."""
    kept: dict[str, Passage] = {}
    words = 0
    for passage in wanted:
        length = _count_words(passage.text)
        if passage.id not in kept and (not kept or words + length <= room):
            kept[passage.id] = passage
            words += length
    return list(kept.values())


@lru_cache(COUNTED)
def _count_words(text: str) -> int:
    return sum(any(map(str.isalnum, word)) for word in text.split())


class ExtractiveLLM:
    """The last member of a failover: says what the articles say, and never fails."""

    name = "extractive"
    model = "quote"

    async def stream(self, request: Request, limits: Limits) -> AsyncGenerator[Event, None]:
        """The quote, whole."""
        yield Text(text=request.quote)
        yield Finished(reason="stop", provider=self.name, model=self.model, prompt_tokens=0, completion_tokens=0)

    async def close(self) -> None:
        """Nothing to release."""
