"""Corrects the answerability for one knowledge base while it is ingested."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from knowledge.answerability import Answerability, Numbers, features
from knowledge.collection import Collection
from knowledge.document import Document
from knowledge.embed import Embedder
from knowledge.priors import PRIOR, PRIOR_ASKED, SPREADS
from knowledge.rank import rank, understand

FOREIGN = Path(__file__).resolve().parent / "foreign.txt"
"""Questions that no company's help centre answers, one a line."""
TITLES = 200
"""Titles asked at most, evenly spaced."""
OBSERVATIONS = 5.0
"""What all titles and foreign questions together weigh, in questions: they correct a model that this knowledge base
contradicts and hardly move one that fits, for titles are easier than what customers ask."""
STRENGTH: Numbers = np.append(10.0 * SPREADS**2, 1.0)
"""How firmly the weights, and last the bias, hold to the development data: precisions of a normal prior."""
STEPS = 25


def calibrate(
    collection: Collection, documents: Sequence[Document], embedder: Embedder, prior: Answerability | None = None
) -> Answerability:
    """The model for this knowledge base: its own titles must look answerable in it and foreign questions must not."""
    prior = prior or (PRIOR_ASKED if collection.asked is not None else PRIOR)
    titles = sorted({document.title for document in documents if document.title})[:: max(1, len(documents) // TITLES)]
    foreign = FOREIGN.read_text(encoding="utf-8").splitlines()
    if not collection.size or not titles:
        return prior
    samples = np.array([_sample(collection, embedder, question) for question in (*titles, *foreign)])
    labels = np.r_[np.ones(len(titles)), np.zeros(len(foreign))]
    weights = OBSERVATIONS / 2 / np.where(labels == 1, len(titles), len(foreign))
    fitted = _fit(samples, labels, weights, np.array([*prior.weights, prior.bias]))
    return Answerability(weights=tuple(fitted[:-1].tolist()), bias=float(fitted[-1]))


def _sample(collection: Collection, embedder: Embedder, question: str) -> Numbers:
    query = understand(embedder, question)
    return np.append(features(collection, query, rank(collection, query)), 1.0)


def _fit(samples: Numbers, labels: Numbers, weights: Numbers, prior: Numbers) -> Numbers:
    """Logistic regression with a normal prior around `prior`, by Newton's method; the loss is strictly convex."""
    fitted = prior.copy()
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-samples @ fitted))
        slope = samples.T @ (weights * (chance - labels)) + STRENGTH * (fitted - prior)
        curve = (samples.T * (weights * chance * (1 - chance))) @ samples + np.diag(STRENGTH)
        fitted = fitted - np.linalg.solve(curve, slope)
    return fitted
