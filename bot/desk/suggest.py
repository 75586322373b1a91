"""What an agent could reply: found in the articles, checked like the bot's own replies, sent only by the agent."""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from bot.answer import Answerer
from bot.check import check_answer
from bot.domain import Entry, Kind, Outcome, Speaker, passage_url
from bot.question import read_question
from knowledge.document import Passage, Search

PASSAGES = 12
MOST_FOUND = 6
LONGEST_QUERY = 500
_HEADING = re.compile(r"\A(?:\*\*[^*\n]+\*\*\s*\n+)+")
"""The headings above a quoted passage, which nobody would write in a chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A reply that the articles bear: Markdown with `[1]` marks, and its citations as the log keeps them."""

    text: str
    citations: tuple[dict[str, Any], ...]
    answers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A passage that a search found."""

    title: str
    heading: str
    text: str
    url: str


class Suggester:
    """Suggests replies and searches the public articles."""

    def __init__(self, search: Search, answerer: Answerer) -> None:
        self._search, self._answerer = search, answerer

    async def suggest(self, entries: Sequence[Entry]) -> Suggestion | None:
        """A reply to the customer's last message that no person has replied to; None where the articles do not answer it.

        One that cannot be answered ("a human please") gives way to the one before it.
        """
        said = [entry for entry in entries if entry.kind is Kind.MESSAGE]
        replied = max((entry.seq for entry in said if entry.speaker is Speaker.AGENT), default=0)
        asked = [entry for entry in said if entry.speaker is Speaker.CUSTOMER and entry.seq > replied]
        for latest in reversed(asked[-3:]):
            if suggestion := await self._answer(latest, [entry for entry in entries if entry.seq < latest.seq]):
                return suggestion
        return None

    async def search(self, words: str) -> list[Hit]:
        """The best passages for these words."""
        query = " ".join(words.split())[:LONGEST_QUERY]
        if not query:
            return []
        found = await self._search.search(query, (), limit=MOST_FOUND)
        return [_hit(passage) for passage in found.passages]

    async def _answer(self, asked: Entry, earlier: Sequence[Entry]) -> Suggestion | None:
        question = read_question(asked, earlier)
        found = await self._search.search(question.text, question.context, limit=PASSAGES)
        answer = await self._answerer.answer(question, found)
        reply = check_answer(answer, partial(self._answerer.abstain, found))
        if reply.outcome is not Outcome.ANSWERED:
            return None
        citations = tuple(asdict(citation) for citation in reply.citations)
        return Suggestion(text=_HEADING.sub("", reply.text), citations=citations, answers=asked.seq)


def _hit(passage: Passage) -> Hit:
    url = passage_url(passage)
    safe = url if url.startswith(("/help/", "https://", "http://")) else ""
    return Hit(title=passage.title, heading=passage.heading, text=passage.text, url=safe)
