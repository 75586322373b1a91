"""How customers ask for an article, as its author wrote it down: it is found by these and they are never quoted."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.embed import DIMENSIONS, Vectors

Rows = NDArray[np.int64]
Keys = NDArray[np.uint8]

PASSAGE_WEIGHT = 0.3
"""What a passage counts against a question when the reader learns what belongs to which document."""
RIDGE = 10.0
"""How firmly the reader's weights are held to zero: about the number of questions a document has."""
NONE = -1.0
ARRAYS = ("keys", "vectors", "owners", "reader", "mean")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The questions of a collection, and a linear reader that learned from them which document a question is for.

    `vectors` is (questions, 384), `owners` the places of their documents, `keys` name the vectors; the reader gives each
    document `(vector - mean) @ reader`: about 1 for a question it was taught, about 0 for others.
    """

    keys: Keys
    vectors: Vectors
    owners: Rows
    reader: Vectors
    mean: Vectors

    def closest(self, vector: Vectors) -> Vectors:
        """The highest cosine of each document's questions, shape (documents,); -1 for one without any."""
        closest = np.full(self.reader.shape[1], NONE, np.float32)
        np.maximum.at(closest, self.owners, self.vectors @ vector)
        return closest

    def read(self, vector: Vectors) -> Vectors:
        """How much the reader takes the question for one of each document, shape (documents,)."""
        return np.asarray((vector - self.mean) @ self.reader, np.float32)

    def save(self, folder: Path) -> None:
        """Write into a new folder. Raises OSError."""
        folder.mkdir()
        for name in ARRAYS:
            np.save(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def load(cls, folder: Path) -> "Asked | None":
        """What `save` wrote, or None where nothing was. Raises OSError or ValueError when damaged."""
        if not folder.is_dir():
            return None
        arrays = {name: np.load(folder / f"{name}.npy") for name in ARRAYS}
        if not len(arrays["vectors"]) == len(arrays["owners"]) == len(arrays["keys"]):
            raise ValueError(f"{folder} does not hold as many questions as vectors")
        return cls(**arrays)


def learn_asked(questions: Vectors, owners: Rows, keys: Keys, passages: Vectors, passage_owners: Rows) -> Asked:
    """The reader by ridge regression, from questions and passages to the documents they belong to."""
    samples = np.concatenate([questions, passages]).astype(np.float64)
    places = np.concatenate([owners, passage_owners])
    weights = np.concatenate([np.ones(len(questions)), np.full(len(passages), PASSAGE_WEIGHT)])
    mean = weights @ samples / weights.sum()
    centred = samples - mean
    weighted = centred * weights[:, None]
    belonging = np.zeros((int(owners.max()) + 1, DIMENSIONS))  # every document has a question, if only its title
    np.add.at(belonging, places, weighted)
    reader = np.linalg.solve(weighted.T @ centred + RIDGE * np.eye(DIMENSIONS), belonging.T)
    return Asked(keys=keys, vectors=questions, owners=owners, reader=reader.astype(np.float32), mean=mean.astype(np.float32))
