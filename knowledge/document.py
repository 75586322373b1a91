"""The nouns of the knowledge base: a document as read, a passage as searched, and what a search found."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NewType, Protocol

DocumentId = NewType("DocumentId", str)
PassageId = NewType("PassageId", str)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One help article: `text` is its Markdown body without the title, `answer` (Markdown) is what somebody vetted.

    `questions` are how customers ask for it: it is found by them, and they are never quoted.
    """

    id: DocumentId
    title: str
    text: str
    category: str = ""
    updated: date | None = None
    internal: bool = False
    url: str | None = None
    source: str = ""
    answer: str = ""
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One block of a document that can be quoted on its own: a paragraph, or a list with the sentence that opens it.

    `heading` is the path of headings below the title ("Before you start > By app"), `position` counts the document's
    passages from 0, `text` is Markdown, `score` is the fused retrieval score in [0, 1] and 0.0 outside a search.
    """

    id: PassageId
    document: DocumentId
    title: str
    heading: str
    text: str
    position: int
    category: str = ""
    url: str | None = None
    score: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found: public passages, best first, and the probability in [0, 1] that they hold the answer.

    `topics` are the categories of all public articles, whatever was asked.
    """

    passages: tuple[Passage, ...]
    answerability: float
    version: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """A public document with all its passages in reading order."""

    document: Document
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What the public articles are about: their categories, and a question for the best known ones; the largest first.

    `some` are a few of the documents, spread over all.
    """

    topics: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    some: tuple[DocumentId, ...] = ()


class Search(Protocol):
    """Finds passages; the only way the bot reaches the knowledge base. Internal documents never come out of it."""

    async def search(self, question: str, history: Sequence[str] = (), limit: int = 8) -> Found:
        """The best passages for `question`; `history` holds what was said before, oldest first."""
        ...

    async def article(self, document: DocumentId) -> Article | None:
        """A public document by id, or None where there is none (an internal one is none)."""
        ...

    async def contents(self) -> Contents:
        """What the public articles are about."""
        ...
