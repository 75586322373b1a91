"""The probability that the article found first answers the question: a logistic model over what the search found.

Its weights start from development data and are corrected for each knowledge base when it is ingested (`calibrate.py`);
docs/decisions/0041-answering-more.md says on which and with what result.
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
    "highest cosine of a document",
    "share of BM25 reached",
    "cosine of the question alone with the leading document",
    "share of BM25 reached in the leading document",
    "lead over the next document",
    "telling words",
    "words missing for a question of its own",
    "something was said before",
    "cosine of what was said before with the leading document",
    "cosine of the leading document's closest question",
    "lead of the leading document among the questions",
)
BM25_MOST = 2.2
"""k1 + 1: times a word's inverse document frequency, the most it can score."""
WIDEST_LEAD = 1.0
MOST_WORDS = 20
SELF_CONTAINED = 3
"""Telling words below which a first message may mean anything: "not working", "new code"."""
FILE = "answerability.json"

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerability:
    """A fitted model: one weight for each feature, and the log odds where all features are zero."""

    weights: tuple[float, ...]
    bias: float

    def probability(self, collection: Collection, query: Query, found: Candidates) -> float:
        """In [0, 1]; 0 when nothing was found."""
        if not len(found.rows):
            return 0.0
        log_odds = self.bias + float(features(collection, query, found) @ np.array(self.weights))
        return float(1 / (1 + np.exp(-log_odds)))

    def save(self, folder: Path) -> None:
        """Write the model into the folder of an index version."""
        (folder / FILE).write_text(json.dumps(asdict(self)), encoding="utf-8")


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


def features(collection: Collection, query: Query, found: Candidates) -> Numbers:
    """What speaks for and against an answer, shape (11,), in the order of FEATURES; `found` must not be empty."""
    leading = found.documents[0][0]
    ours = found.rows[collection.owners[found.rows] == leading]
    most = BM25_MOST * sum(weight * collection.lexicon.idf(word) for word, weight in query.words.items())
    reached = found.bm25 / most if most else found.bm25
    words = sum(query.words.values())
    before = query.before
    return np.array(
        [
            found.document_cosine.max(),
            reached.max(),
            (collection.vectors[ours] @ query.own).max(),
            reached[collection.owners[found.rows] == leading].max(),
            _lead(found),
            min(MOST_WORDS, words) / MOST_WORDS,
            max(0, SELF_CONTAINED - words) if before is None else 0,
            before is not None,
            0.0 if before is None else collection.means[leading] @ before,
            *_asked(collection, query, leading),
        ],
        np.float64,
    )


def _lead(found: Candidates) -> float:
    """By how much the leading document's score exceeds the next one's, as a share of that, up to 1."""
    if len(found.documents) < 2:
        return WIDEST_LEAD
    (_, first), (_, second) = found.documents[:2]
    return min(WIDEST_LEAD, first / max(second, 1e-6) - 1)


def _asked(collection: Collection, query: Query, leading: int) -> tuple[float, float]:
    """How near the question is to the leading document's own, and its lead by the reader; zeros without any."""
    if collection.asked is None:
        return 0.0, 0.0
    read = collection.asked.read(query.own)
    others = np.delete(read, leading)
    return float(collection.asked.closest(query.own)[leading]), float(read[leading] - others.max(initial=-1.0))
