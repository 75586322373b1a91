"""Words and parts of words as sparse vectors: what a sentence embedding misses (names, codes, typos)."""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

BUCKETS = 1 << 15
"""Per kind; hashed, so that no vocabulary is stored and an unknown word costs nothing."""
PARTS = (3, 4, 5)
"""Lengths of the parts of words, word ends included."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")

Floats = NDArray[np.float32]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Inverse document frequency of every bucket, shape (2 * BUCKETS,): words first, parts after them."""

    idf: Floats

    @classmethod
    def fit(cls, texts: Sequence[str]) -> tuple["Weights", sparse.csr_matrix]:
        """From the texts of the training file, smoothed as scikit-learn does; with a row for each of them.

        A row has shape (2 * BUCKETS,), each half of unit length or empty.
        """
        found = [_counted(text) for text in texts]
        with_it = np.bincount(np.concatenate([columns for columns, _ in found]), minlength=2 * BUCKETS)
        weights = cls(idf=(np.log((1 + len(texts)) / (1 + with_it)) + 1).astype(np.float32))
        ends = np.cumsum([0, *(len(columns) for columns, _ in found)])
        values = np.concatenate([weights._weighted(columns, counts) for columns, counts in found])
        columns = np.concatenate([columns for columns, _ in found])
        return weights, sparse.csr_matrix((values, columns, ends), shape=(len(texts), 2 * BUCKETS))

    def vector(self, text: str) -> Floats:
        """The same of one message, dense."""
        vector = np.zeros(2 * BUCKETS, np.float32)
        columns, counts = _counted(text)
        vector[columns] = self._weighted(columns, counts)
        return vector

    def _weighted(self, columns: Counts, counts: Counts) -> Floats:
        values = (1 + np.log(counts)) * self.idf[columns]
        for half in (columns < BUCKETS, columns >= BUCKETS):
            values[half] /= max(float(np.linalg.norm(values[half])), 1e-9)
        return values.astype(np.float32)


def _counted(text: str) -> tuple[Counts, Counts]:
    """The buckets of a text, each once, and how often it came."""
    columns, counts = np.unique(_buckets(text), return_counts=True)
    return columns, counts


def _buckets(text: str) -> Counts:
    words = _WORD.findall(text.lower().replace("’", "'"))
    whole = [_bucket(word) for word in (*words, *map(" ".join, pairwise(words)))]
    return np.asarray([*whole, *(BUCKETS + _bucket(part) for word in words for part in _parts(f" {word} "))], np.int64)


def _parts(word: str) -> Iterator[str]:
    for length in PARTS:
        if len(word) <= length:
            yield word
            return
        yield from (word[start : start + length] for start in range(len(word) - length + 1))


def _bucket(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "surrogatepass")) % BUCKETS
