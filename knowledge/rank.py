"""Makes a question searchable and orders the passages: cosine and BM25, fused by their scores.

The numbers here are tuned on development sets; docs/decisions/0003-retrieval.md says on which and what they buy.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.collection import Collection, Rows
from knowledge.embed import Embedder, Vectors
from knowledge.lexical import words

CANDIDATES = 50
"""Passages each retriever proposes."""
BM25_WEIGHT = 0.35
"""What the best BM25 score adds to a cosine."""

CONTEXT_VECTOR = 0.3
"""Share of the question read together with the last turns in its vector."""
CONTEXT_BM25 = 0.4
"""What the best match with the words said before adds to a cosine."""
CONTEXT_TURNS, CONTEXT_CHARS = 2, 100
"""How much of what was said just before is read together with the question: enough to name the subject, cheap to embed."""
REMEMBERED_TURNS, FADING = 8, 0.85
"""How far back words count, and how much less with each turn."""
SELF_CONTAINED = 8
"""Words from which on a question says itself what it is about; what was said before counts less and less."""

Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question made searchable.

    `vector` is (384,), a mean of unit vectors, so that its dot product with a passage is a mean of cosines. `context` holds
    the words said before with their weights, `context_weight` in [0, 1] says how much they count.
    """

    vector: Vectors
    words: Mapping[str, float]
    context: Mapping[str, float]
    context_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The union of what both retrievers propose, best first; one entry per passage in every array.

    `cosine` and `bm25` are for the question, `score` is the fused score in [0, 1].
    """

    rows: Rows
    cosine: Scores
    bm25: Scores
    score: Scores


def understand(embedder: Embedder, question: str, history: Sequence[str] = ()) -> Query:
    """The question in the light of what was said before, oldest first: "and for business customers?" needs it."""
    own = Counter(words(question))
    vector = embedder.embed_query(question)
    if not history:
        return Query(vector=vector, words=own, context={}, context_weight=0.0)
    weight = min(1.0, SELF_CONTAINED / max(1, own.total()))
    recent = [turn[:CONTEXT_CHARS] for turn in history[-CONTEXT_TURNS:]]
    share = CONTEXT_VECTOR * weight
    vector = (1 - share) * vector + share * embedder.embed_query(" ".join([*recent, question]))
    return Query(vector=vector, words=own, context=_said_before(history, own), context_weight=weight)


def _said_before(history: Sequence[str], own: Mapping[str, float]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for age, turn in enumerate(reversed(history[-REMEMBERED_TURNS:])):
        for word in words(turn):
            if word not in own:
                weights.setdefault(word, FADING**age)
    return weights


def rank(collection: Collection, query: Query, bm25_weight: float = BM25_WEIGHT) -> Candidates:
    """Candidates of a collection for a query; empty for an empty collection."""
    if collection.lexicon is None:
        nothing = np.zeros(0, np.float32)
        return Candidates(rows=np.zeros(0, np.int64), cosine=nothing, bm25=nothing, score=nothing)
    bm25 = collection.lexicon.scores(query.words)
    lexical = bm25_weight * _of_best(bm25)
    most = 1 + bm25_weight
    if query.context:
        lexical += CONTEXT_BM25 * query.context_weight * _of_best(collection.lexicon.scores(query.context))
        most += CONTEXT_BM25 * query.context_weight
    rows = np.union1d(collection.nearest(query.vector, CANDIDATES), best(lexical, CANDIDATES))
    cosine = np.asarray(collection.vectors[rows] @ query.vector, np.float32)
    score = np.asarray(np.clip((cosine + lexical[rows]) / most, 0, 1), np.float32)
    order = np.argsort(-score, kind="stable")
    return Candidates(rows=rows[order], cosine=cosine[order], bm25=bm25[rows][order], score=score[order])


def best(scores: Scores, limit: int) -> Rows:
    """Rows of the highest scores above zero, in no order."""
    rows = np.argpartition(-scores, limit)[:limit] if len(scores) > limit else np.arange(len(scores))
    return rows[scores[rows] > 0]


def _of_best(scores: Scores) -> Scores:
    """Scores as shares of the best one; zeros where no passage has any of the words."""
    return scores / max(float(scores.max()), 1e-6)
