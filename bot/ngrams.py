"""Words and parts of words as sparse vectors: what a sentence embedding misses (names, codes, typos)."""

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BUCKETS = 1 << 15
"""Per kind; hashed, so that no vocabulary is stored and an unknown word costs nothing."""
PARTS = (3, 4, 5)
"""Lengths of the parts of words, word ends included."""
REMEMBERED_WORDS, REMEMBERED_LENGTH = 8192, 30
"""Words whose buckets are kept, and their longest: a few megabytes, whatever customers write."""
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")

Floats = NDArray[np.float32]
Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Grams:
    """Rows of a sparse matrix (rows, 2 * BUCKETS), as SciPy's CSR has them, and the same by column.

    Written out because a message has a hundred of the 65,536 columns, and because importing SciPy takes half a second.
    """

    values: Floats
    columns: NDArray[np.int32]
    ends: NDArray[np.int32]
    by_column: Floats
    rows: NDArray[np.int32]
    starts: Counts

    @classmethod
    def of(cls, values: Floats, columns: NDArray[np.int32], ends: NDArray[np.int32]) -> "Grams":
        """From the rows' values and columns, one after the other, and where they end. Raises ValueError: they do not fit."""
        if (
            not len(values) == len(columns) == ends[-1]
            or columns.min(initial=0) < 0
            or columns.max(initial=0) >= 2 * BUCKETS
        ):
            raise ValueError(f"{len(values)} values for {len(columns)} columns and {ends[-1]} places")
        order = np.argsort(columns, kind="stable")
        rows = np.repeat(np.arange(len(ends) - 1, dtype=np.int32), np.diff(ends))
        starts = np.searchsorted(columns[order], np.arange(2 * BUCKETS + 1))
        return cls(
            values=values,
            columns=columns,
            ends=ends,
            by_column=values[order],
            rows=rows[order],
            starts=starts.astype(np.int64),
        )

    def times(self, text: "TextGrams") -> Floats:
        """The product of every row with a text, shape (rows,)."""
        starts = self.starts[text.columns]
        lengths = self.starts[text.columns + 1] - starts
        places = np.arange(lengths.sum()) + np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
        weights = self.by_column[places] * np.repeat(text.values, lengths)
        return np.bincount(self.rows[places], weights, len(self.ends) - 1).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextGrams:
    """One text's columns, each once, and its values in them."""

    columns: Counts
    values: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Inverse document frequency of every bucket, shape (2 * BUCKETS,): words first, parts after them."""

    idf: Floats

    @classmethod
    def fit(cls, texts: Sequence[str]) -> tuple["Weights", Grams]:
        """From the texts of the training file, smoothed as scikit-learn does; with a row for each of them.

        A row has shape (2 * BUCKETS,), each half of unit length or empty.
        """
        found = [_counted(text) for text in texts]
        with_it = np.bincount(np.concatenate([columns for columns, _ in found]), minlength=2 * BUCKETS)
        weights = cls(idf=(np.log((1 + len(texts)) / (1 + with_it)) + 1).astype(np.float32))
        ends = np.cumsum([0, *(len(columns) for columns, _ in found)])
        values = np.concatenate([weights._weighted(columns, counts) for columns, counts in found])
        columns = np.concatenate([columns for columns, _ in found])
        return weights, Grams.of(values, columns.astype(np.int32), ends.astype(np.int32))

    def grams(self, text: str) -> TextGrams:
        """The row of one message."""
        columns, counts = _counted(text)
        return TextGrams(columns=columns, values=self._weighted(columns, counts))

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
    found = [_bucket(" ".join(pair)) for pair in pairwise(words)]
    for word in words:
        found += _of_word(word) if len(word) <= REMEMBERED_LENGTH else _of_word.__wrapped__(word)
    return np.asarray(found, np.int64)


@lru_cache(REMEMBERED_WORDS)
def _of_word(word: str) -> tuple[int, ...]:
    """The word's own bucket and those of its parts."""
    return _bucket(word), *(BUCKETS + _bucket(part) for part in _parts(f" {word} "))


def _parts(word: str) -> Iterator[str]:
    for length in PARTS:
        if len(word) <= length:
            yield word
            return
        yield from (word[start : start + length] for start in range(len(word) - length + 1))


def _bucket(token: str) -> int:
    return zlib.crc32(token.encode("utf-8", "surrogatepass")) % BUCKETS
