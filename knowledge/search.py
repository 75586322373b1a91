"""Hybrid search over the index version in use; a new version is noticed and opened while the old one still serves."""

import asyncio
import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from knowledge.answerability import Answerability, load_answerability
from knowledge.collection import Collection
from knowledge.document import Article, DocumentId, Found, Passage
from knowledge.embed import Embedder
from knowledge.errors import IndexCorrupt, KnowledgeError
from knowledge.rank import BM25_WEIGHT, Candidates, rank, understand
from knowledge.versions import Versions

SEARCH_THREADS = min(2, os.cpu_count() or 1)


class Version:
    """One open version: its public collection and its answerability. Nothing here can reach internal documents."""

    def __init__(self, versions: Versions) -> None:
        self.changed = versions.changed()
        self.id = versions.current()
        self.manifest = versions.manifest(self.id)
        folder = versions.folder / self.id
        try:
            self.answerability: Answerability = load_answerability(folder / "answerability.json")
        except (OSError, ValueError) as error:
            raise IndexCorrupt(f"{folder / 'answerability.json'} cannot be read ({error}). Ingest again.") from error
        self.collection = Collection(folder / "public")
        self.collection.check()

    def __del__(self) -> None:
        """The last search that used this version has finished."""
        if hasattr(self, "collection"):
            self.collection.close()


class HybridSearch:
    """The `Search` of the product: cosine and BM25 over the public passages, fused by score."""

    def __init__(self, root: Path, embedder: Embedder, bm25_weight: float = BM25_WEIGHT) -> None:
        self._versions = Versions(root)
        self._embedder = embedder
        self._bm25_weight = bm25_weight
        self._version = Version(self._versions)
        self._reopening = threading.Lock()
        self._threads = ThreadPoolExecutor(SEARCH_THREADS, thread_name_prefix="search")

    @classmethod
    def open(cls, root: Path, embedder: Embedder | None = None, bm25_weight: float = BM25_WEIGHT) -> "HybridSearch":
        """Open the index in `root`. Raises IndexMissing or IndexCorrupt."""
        return cls(root, embedder or Embedder(), bm25_weight)

    async def search(self, question: str, history: Sequence[str] = (), limit: int = 8) -> Found:
        """The best public passages for `question`; `history` holds the customer's earlier messages, oldest first."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.find, question, tuple(history), limit)

    def find(self, question: str, history: Sequence[str] = (), limit: int = 8) -> Found:
        """`search` for callers with a thread of their own."""
        version = self._up_to_date()
        found = rank(version.collection, understand(self._embedder, question, history), self._bm25_weight)
        return Found(
            passages=_top(version.collection, found, limit),
            answerability=version.answerability.probability(found),
            version=version.id,
        )

    async def article(self, document: DocumentId) -> Article | None:
        """A public document with all its passages, or None where there is none."""
        return await asyncio.get_running_loop().run_in_executor(
            self._threads, self._up_to_date().collection.texts.article, document
        )

    def close(self) -> None:
        """Finish what is under way and release threads."""
        self._threads.shutdown()

    def _up_to_date(self) -> Version:
        """The version in use; when the pointer has moved, a thread opens the new one and this search still gets the old."""
        version = self._version
        if version.changed != self._versions.changed() and self._reopening.acquire(blocking=False):
            threading.Thread(target=self._reopen, name="reopen-index", daemon=True).start()
        return version

    def _reopen(self) -> None:
        try:
            self._version = Version(self._versions)
        except KnowledgeError:
            pass
        finally:
            self._reopening.release()


def _top(collection: Collection, found: Candidates, limit: int) -> tuple[Passage, ...]:
    passages = collection.texts.passages(found.rows[: 2 * limit].tolist())
    seen: dict[str, Passage] = {}
    for passage, score in zip(passages, found.score, strict=False):
        seen.setdefault(" ".join(passage.text.split()), replace(passage, score=float(score)))
    return tuple(seen.values())[:limit]
