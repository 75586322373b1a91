"""Makes a question searchable and orders the passages: cosine and BM25, fused by their scores.

The numbers here are tuned on development sets; docs/decisions/0003-retrieval.md says on which and what they buy.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from knowledge.asked import Rows
from knowledge.collection import Collection
from knowledge.embed import Embedder, Vectors
from knowledge.lexical import words

CANDIDATES = 50
"""Passages each retriever proposes."""

DOCUMENT_COSINE = 0.2
"""What the cosine of the whole document adds to the cosine of its passage."""
PASSAGE_BM25, DOCUMENT_BM25 = 0.15, 0.25
"""What the best BM25 score, of a passage and of a document as a whole, adds to a cosine."""

ASKED_COSINE, ASKED_READER = 0.5, 1.5
"""What the closest of a document's questions adds to a cosine, and what the reader that learned from them does."""
ASKED_DOCUMENTS = 5
"""Documents that the questions propose, with all their passages."""

LEADING = (1.0, 0.4, 0.2)
"""What a document's best, second and third passage count when documents are compared."""
LEADING_PASSAGES = 12
"""Passages from which documents are compared."""

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

    `vector` is (384,), a mean of unit vectors, so that its dot product with a passage is a mean of cosines; `own` is the
    question's alone and `before` that of what was said before it. `context` holds the words said before with their weights,
    `context_weight` in [0, 1] says how much they count.
    """

    vector: Vectors
    own: Vectors
    before: Vectors | None
    words: Mapping[str, float]
    context: Mapping[str, float]
    context_weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """The union of what the retrievers propose, best first; one entry per passage in every array.

    `cosine` is the passage's, `document_cosine` its whole document's; `bm25` is for the question's own words; `score` is
    the fused score in [0, 1]. `documents` are the places of the best passages' documents, with scores.
    """

    rows: Rows
    cosine: Scores
    document_cosine: Scores
    bm25: Scores
    score: Scores
    documents: Sequence[tuple[int, float]]


def understand(embedder: Embedder, question: str, history: Sequence[str] = ()) -> Query:
    """The question in the light of what was said before, oldest first: "and for business customers?" needs it."""
    own = Counter(words(question))
    vector = embedder.embed_query(question)
    if not history:
        return Query(vector=vector, own=vector, before=None, words=own, context={}, context_weight=0.0)
    weight = min(1.0, SELF_CONTAINED / max(1, own.total()))
    share = CONTEXT_VECTOR * weight
    before = np.mean([embedder.embed_query(turn) for turn in history[-CONTEXT_TURNS:]], axis=0)
    return Query(
        vector=np.asarray((1 - share) * vector + share * before, np.float32),
        own=vector,
        before=before,
        words=own,
        context=_said_before(history, own),
        context_weight=weight,
    )


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
    asked = np.zeros(len(collection.means), np.float32)
    if collection.asked is not None:
        asked = ASKED_COSINE * collection.asked.closest(query.vector) + ASKED_READER * collection.asked.read(query.vector)
        most += ASKED_COSINE + ASKED_READER
        rows = np.union1d(rows, collection.rows_of(np.argsort(-asked)[:ASKED_DOCUMENTS]))
    cosine = np.asarray(collection.vectors[rows] @ query.vector, np.float32)
    document = np.asarray(collection.means[collection.owners[rows]] @ query.vector, np.float32)
    summed = cosine + DOCUMENT_COSINE * document + asked[collection.owners[rows]] + bm25_weight * lexical[rows]
    score = np.clip(summed / most, 0, 1).astype(np.float32)
    order = np.argsort(-score, kind="stable")
    return Candidates(
        rows=rows[order],
        cosine=cosine[order],
        document_cosine=document[order],
        bm25=own[rows[order]],
        score=score[order],
        documents=rank_documents(collection.owners[rows[order]].tolist(), score[order].tolist()),
    )


def rank_documents(documents: Sequence[int], scores: Sequence[float]) -> list[tuple[int, float]]:
    """The documents of the best passages, best first, from each passage's document and score, best passage first.

    A document counts with its three best passages: one that speaks of the matter throughout is the better source than one
    that mentions it once.
    """
    found: dict[int, list[float]] = {}
    for document, score in zip(documents[:LEADING_PASSAGES], scores[:LEADING_PASSAGES], strict=True):
        found.setdefault(document, []).append(score)
    summed = [(one, sum(w * s for w, s in zip(LEADING, held, strict=False))) for one, held in found.items()]
    return sorted(summed, key=lambda pair: -pair[1])


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
