"""Dense and BM25 candidates, fused by their scores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.collection import Collection, Rows
from knowledge.embed import Embedder, Vectors
from knowledge.lexical import words

CANDIDATES = 50
"""Passages each retriever proposes."""
DENSE_WEIGHT = 0.7
"""Share of the cosine in the fused score, the rest is BM25; origin: docs/decisions/0003-retrieval.md."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question made searchable: its unit vector and its words."""

    vector: Vectors
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The union of what both retrievers propose, best first; one entry per passage in every array."""

    rows: Rows
    cosine: NDArray[np.float32]
    bm25: NDArray[np.float32]
    fused: NDArray[np.float32]


def understand(embedder: Embedder, question: str, history: Sequence[str] = ()) -> Query:
    """The question in the light of the customer's earlier messages (oldest first)."""
    return Query(vector=embedder.embed_query(question), words=tuple(words(question)))


def rank(collection: Collection, query: Query, dense_weight: float = DENSE_WEIGHT) -> Candidates:
    """Candidates of a collection for a query; empty for an empty collection."""
    if collection.lexicon is None:
        nothing = np.zeros(0, np.float32)
        return Candidates(rows=np.zeros(0, np.int64), cosine=nothing, bm25=nothing, fused=nothing)
    bm25 = collection.lexicon.scores(query.words)
    rows = np.union1d(collection.nearest(query.vector, CANDIDATES), best(bm25, CANDIDATES))
    return fuse(rows, collection.vectors[rows] @ query.vector, bm25[rows], dense_weight)


def fuse(rows: Rows, cosine: NDArray[np.float32], bm25: NDArray[np.float32], dense_weight: float) -> Candidates:
    """Order the rows by the weighted sum of both scores, each stretched to [0, 1] over the candidates."""
    fused = dense_weight * stretched(cosine) + (1 - dense_weight) * stretched(bm25)
    order = np.argsort(-fused, kind="stable")
    return Candidates(rows=rows[order], cosine=cosine[order], bm25=bm25[order], fused=fused[order])


def stretched(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scores moved to [0, 1] by their minimum and maximum; zeros when they are all the same."""
    if not len(scores) or scores.max() == scores.min():
        return np.zeros_like(scores)
    return np.asarray((scores - scores.min()) / (scores.max() - scores.min()), np.float32)


def best(scores: NDArray[np.float32], limit: int) -> Rows:
    """Rows of the highest scores above zero, in no order."""
    rows = np.argpartition(-scores, limit)[:limit] if len(scores) > limit else np.arange(len(scores))
    return rows[scores[rows] > 0]
