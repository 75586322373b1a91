"""The probability that the found passages hold the answer: a logistic model over what the search found.

Its weights start from development data and are corrected for each knowledge base when it is ingested (`calibrate.py`);
docs/decisions/0005-answerability.md says on what and with what result.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.collection import Collection
from knowledge.errors import IndexCorrupt
from knowledge.rank import Candidates, Query

FEATURES = (
    "cosine of the best passage",
    "highest cosine of a document",
    "agreement of cosine and BM25",
    "share of BM25 reached",
)
AGREEMENT_DEPTH = 5
BM25_MOST = 2.2
"""k1 + 1: times a word's inverse document frequency, the most it can score."""
FILE = "answerability.json"

Numbers = NDArray[np.float64]

# The features' means and spreads on the development sets, and the weights of the standardised features.
MEANS: Numbers = np.array([0.381, 0.4194, 0.1557, 0.0874])
SPREADS: Numbers = np.array([0.1937, 0.1872, 0.2295, 0.0742])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerability:
    """A fitted model: one weight for each standardised feature, and the log odds where all features are average."""

    weights: tuple[float, ...]
    bias: float

    def probability(self, collection: Collection, query: Query, found: Candidates) -> float:
        """In [0, 1]; 0 when nothing was found."""
        if not len(found.rows):
            return 0.0
        log_odds = self.bias + float(standardised(collection, query, found) @ np.array(self.weights))
        return float(1 / (1 + np.exp(-log_odds)))

    def save(self, folder: Path) -> None:
        """Write the model into the folder of an index version."""
        (folder / FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")


PRIOR = Answerability(weights=(0.707, 1.667, 0.291, 0.446), bias=-0.542)
"""Fitted on development sets, each weighing the same, and half of each on the answerable."""


def load_answerability(folder: Path) -> Answerability:
    """The model of an index version. Raises IndexCorrupt, naming the file."""
    try:
        fields = json.loads((folder / FILE).read_text(encoding="utf-8"))
        weights = tuple(float(weight) for weight in fields["weights"])
        if len(weights) != len(FEATURES):
            raise ValueError(f"{len(weights)} weights for {len(FEATURES)} features")
        return Answerability(weights=weights, bias=float(fields["bias"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise IndexCorrupt(
            f"{folder / FILE} is missing or damaged ({error}). Run `python -m knowledge ingest --rebuild FOLDER`."
        ) from error


def standardised(collection: Collection, query: Query, found: Candidates) -> Numbers:
    """The features of what was found, shape (4,); `found` must not be empty."""
    most = BM25_MOST * sum(weight * collection.lexicon.idf(word) for word, weight in query.words.items())
    features = np.array(
        [
            found.cosine[0],
            found.document_cosine.max(),
            _agreement(collection, found),
            found.bm25.max() / most if most else 0.0,
        ],
        np.float64,
    )
    return np.asarray((features - MEANS) / SPREADS, np.float64)


def _agreement(collection: Collection, found: Candidates) -> float:
    """How far the documents of the best passages by cosine and by BM25 are the same ones, in [0, 1]."""
    by_cosine = found.rows[np.argsort(-found.cosine)[:AGREEMENT_DEPTH]]
    by_bm25 = np.argsort(-found.bm25)[:AGREEMENT_DEPTH]
    dense = set(collection.owners[by_cosine].tolist())
    lexical = set(collection.owners[found.rows[by_bm25[found.bm25[by_bm25] > 0]]].tolist())
    return len(dense & lexical) / len(dense | lexical)
