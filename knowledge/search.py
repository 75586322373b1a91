"""Hybrid search over the index version in use; a new version is noticed and opened while the old one still serves."""

import asyncio
import logging
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from knowledge.answerability import Answerability, load_answerability
from knowledge.collection import Collection
from knowledge.contents import read_contents
from knowledge.document import Article, Contents, DocumentId, Found, Passage
from knowledge.embed import Embedder
from knowledge.errors import KnowledgeError
from knowledge.rank import Candidates, Query, rank, understand
from knowledge.spelling import Spelling
from knowledge.versions import Versions

SEARCH_THREADS = 4
"""More than the cores: while one thread waits for the interpreter, another embeds."""

logger = logging.getLogger(__name__)


class Version:
    """One open version: its public collection, its answerability, its words. Nothing here can reach internal documents."""

    def __init__(self, versions: Versions, embedder: Embedder) -> None:
        self.mark = versions.mark()  # before the pointer is read: a change in between is noticed at the next search
        self.id = versions.current()
        versions.readable(self.id)  # written last: without it the build was not finished
        self.answerability: Answerability = load_answerability(versions.folder / self.id)
        self.collection = Collection(versions.folder / self.id / "public")
        self.collection.check()
        known = {*self.collection.lexicon.words, *self.collection.documents.words}
        self.spelling = Spelling(known, embedder.is_common)
        self.contents = read_contents(self.collection.texts.documents())

    def __del__(self) -> None:
        """The last search that used this version has finished."""
        if hasattr(self, "collection"):
            self.collection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """All candidates for a question, best first, and the probability in [0, 1] that they hold the answer."""

    version: Version
    query: Query
    candidates: Candidates
    answerability: float

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages of these rows, in this order."""
        return self.version.collection.texts.passages(rows)

    def best(self, limit: int) -> tuple[Passage, ...]:
        """The best passages with their scores; a text that stands in several places comes once."""
        scored = zip(self.candidates.rows.tolist(), self.candidates.score.tolist(), strict=True)
        found: dict[str, Passage] = {}
        for chunk in _chunks(list(scored), limit):
            passages = self.passages([row for row, _ in chunk])
            for passage, (_, score) in zip(passages, chunk, strict=True):
                found.setdefault(" ".join(passage.text.split()), replace(passage, score=score))
            if len(found) >= limit:
                break
        return tuple(found.values())[:limit]


class HybridSearch:
    """The `Search` of the product: cosine and BM25 over the public passages, fused by score.

    `embedder` remembers what it embedded, so that who reads the same message with it pays once.
    """

    def __init__(self, root: Path, embedder: Embedder, bm25_weight: float = 1.0) -> None:
        self._versions = Versions(root)
        self.embedder = embedder
        self._bm25_weight = bm25_weight
        self._version = Version(self._versions, embedder)
        self._failed = self._version.mark
        self._reopening = threading.Lock()
        self._threads = ThreadPoolExecutor(SEARCH_THREADS, thread_name_prefix="search")

    @classmethod
    def open(cls, root: Path, embedder: Embedder | None = None, bm25_weight: float = 1.0) -> "HybridSearch":
        """Open the index in `root`. Raises IndexMissing, IndexOutdated or IndexCorrupt."""
        return cls(root, embedder or Embedder(), bm25_weight)

    @property
    def version(self) -> str:
        """The index version that answers now."""
        return self._version.id

    async def search(self, question: str, history: Sequence[str] = (), limit: int = 8) -> Found:
        """The best public passages for `question`; `history` holds what was said before, oldest first.

        Raises IndexCorrupt when the index was damaged while it was open.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.find, question, tuple(history), limit)

    async def article(self, document: DocumentId) -> Article | None:
        """A public document with all its passages, or None where there is none."""
        texts = self._up_to_date().collection.texts
        return await asyncio.get_running_loop().run_in_executor(self._threads, texts.article, document)

    async def contents(self) -> Contents:
        """What the public articles are about."""
        return self._up_to_date().contents

    def find(self, question: str, history: Sequence[str] = (), limit: int = 8) -> Found:
        """`search` for a caller with a thread of its own."""
        ranked = self.rank(question, history)
        return Found(
            passages=ranked.best(limit),
            answerability=ranked.answerability,
            version=ranked.version.id,
            topics=ranked.version.contents.topics,
        )

    def rank(self, question: str, history: Sequence[str] = ()) -> Ranked:
        """All candidates, for who wants to look deeper than a customer does: the evaluation."""
        version = self._up_to_date()
        correct = version.spelling.correct
        query = understand(self.embedder, correct(question), [correct(said) for said in history])
        candidates = rank(version.collection, query, self._bm25_weight)
        answerability = version.answerability.probability(version.collection, query, candidates)
        return Ranked(version=version, query=query, candidates=candidates, answerability=answerability)

    def close(self) -> None:
        """Finish what is under way and release threads."""
        self._threads.shutdown()

    def _up_to_date(self) -> Version:
        """The version in use; when the pointer has moved, a thread opens the new one and this search still gets the old."""
        version, mark = self._version, self._versions.mark()
        if mark not in (version.mark, self._failed) and self._reopening.acquire(blocking=False):
            threading.Thread(target=self._reopen, name="reopen-index", daemon=True).start()
        return version

    def _reopen(self) -> None:
        mark = self._versions.mark()
        try:
            self._version = Version(self._versions, self.embedder)
            logger.info("the index is now version %s", self._version.id)
        except KnowledgeError as error:
            self._failed = mark
            logger.warning("a new index cannot be opened, version %s stays in use: %s", self._version.id, error)
        finally:
            self._reopening.release()


def _chunks(scored: list[tuple[int, float]], size: int) -> Iterable[list[tuple[int, float]]]:
    return (scored[start : start + size] for start in range(0, len(scored), size))
