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

DOCUMENT_COSINE = 0.2
"""What the cosine of the whole document adds to the cosine of its passage."""
PASSAGE_BM25, DOCUMENT_BM25 = 0.15, 0.25
"""What the best BM25 score, of a passage and of a document as a whole, adds to a cosine."""

CONTEXT_VECTOR = 0.3
"""Share of what was said just before in a question's vector."""
CONTEXT_BM25 = 1.25
"""How much the words said before count against the question's own."""
CONTEXT_TURNS = 3
"""How many turns said just before count in the vector; as questions they were embedded then, so they cost nothing again."""
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

    `cosine` is the passage's, `document_cosine` its whole document's; `bm25` is for the question's own words; `score` is
    the fused score in [0, 1].
    """

    rows: Rows
    cosine: Scores
    document_cosine: Scores
    bm25: Scores
    score: Scores


def understand(embedder: Embedder, question: str, history: Sequence[str] = ()) -> Query:
    """The question in the light of what was said before, oldest first: "and for business customers?" needs it."""
    own = Counter(words(question))
    vector = embedder.embed_query(question)
    if not history:
        return Query(vector=vector, words=own, context={}, context_weight=0.0)
    weight = min(1.0, SELF_CONTAINED / max(1, own.total()))
    share = CONTEXT_VECTOR * weight
    before = np.mean([embedder.embed_query(turn) for turn in history[-CONTEXT_TURNS:]], axis=0)
    vector = np.asarray((1 - share) * vector + share * before, np.float32)
    return Query(vector=vector, words=own, context=_said_before(history, own), context_weight=weight)


def _said_before(history: Sequence[str], own: Mapping[str, float]) -> dict[str, float]:
    weights: dict[str, float] = {}
    for age, turn in enumerate(reversed(history[-REMEMBERED_TURNS:])):
        for word in words(turn):
            if word not in own:
                weights.setdefault(word, FADING**age)
    return weights


def rank(collection: Collection, query: Query, bm25_weight: float = 1.0) -> Candidates:
    """Candidates of a collection for a query; empty for an empty collection. `bm25_weight` scales all of BM25's part."""
    own = collection.lexicon.scores(query.words)
    lexical = _lexical(collection, own, query.words)
    most = 1 + DOCUMENT_COSINE + bm25_weight * (PASSAGE_BM25 + DOCUMENT_BM25)
    if query.context:
        weight = CONTEXT_BM25 * query.context_weight
        lexical += weight * _lexical(collection, collection.lexicon.scores(query.context), query.context)
        most += weight * bm25_weight * (PASSAGE_BM25 + DOCUMENT_BM25)
    rows = np.union1d(collection.nearest(query.vector, CANDIDATES), best(lexical, CANDIDATES))
    cosine = np.asarray(collection.vectors[rows] @ query.vector, np.float32)
    document = np.asarray(collection.means[collection.owners[rows]] @ query.vector, np.float32)
    score = np.clip((cosine + DOCUMENT_COSINE * document + bm25_weight * lexical[rows]) / most, 0, 1).astype(np.float32)
    order = np.argsort(-score, kind="stable")
    return Candidates(
        rows=rows[order],
        cosine=cosine[order],
        document_cosine=document[order],
        bm25=own[rows[order]],
        score=score[order],
    )


def _lexical(collection: Collection, passages: Scores, wanted: Mapping[str, float]) -> Scores:
    """BM25's part of every passage's score: its own, and that of its whole document."""
    documents = DOCUMENT_BM25 * _of_best(collection.documents.scores(wanted))
    return PASSAGE_BM25 * _of_best(passages) + documents[collection.owners]


def best(scores: Scores, limit: int) -> Rows:
    """Rows of the highest scores above zero, in no order."""
    rows = np.argpartition(-scores, limit)[:limit] if len(scores) > limit else np.arange(len(scores))
    return rows[scores[rows] > 0]


def _of_best(scores: Scores) -> Scores:
    """Scores as shares of the best one; zeros where no passage has any of the words."""
    return scores / max(float(scores.max(initial=0)), 1e-6)
